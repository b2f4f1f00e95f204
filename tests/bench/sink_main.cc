// SPDX-License-Identifier: MIT
// The smarthost: `bench_sink ADDRESS PORT DELAY_MS`. Says "ready" once it listens, answers each line of
// standard input with one line of counts (counter.h), and ends with standard input.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

#include "tests/bench/peer.h"

namespace hikyaku::bench {
namespace {

Fd listen_at(const char* address, unsigned long port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<in_port_t>(port));
  inet_pton(AF_INET, address, &at.sin_addr);
  Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) return Fd();
  return ::listen(listener.get(), 1024) == 0 ? std::move(listener) : Fd();
}

void accept_all(int listener, std::chrono::milliseconds delay, Counter& counter) {
  while (true) {
    Fd client(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (!client) continue;
    const int on = 1;
    setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::thread([client = std::move(client), delay, &counter] mutable {
      Peer(std::move(client), delay, counter).serve();
    }).detach();
  }
}

int run(char** words) {
  const Fd listener = listen_at(words[1], std::strtoul(words[2], nullptr, 10));
  if (!listener) return std::perror("bench_sink: listen"), 69;
  static Counter counter;
  const std::chrono::milliseconds delay(std::strtol(words[3], nullptr, 10));
  std::thread([&] { accept_all(listener.get(), delay, counter); }).detach();
  std::puts("ready");
  std::fflush(stdout);
  for (int byte = std::getchar(); byte != EOF; byte = std::getchar())
    if (byte == '\n') std::puts(counter.to_text().c_str()), std::fflush(stdout);
  // The threads of the connections still use what ours would destroy.
  std::_Exit(0);
}

}  // namespace
}  // namespace hikyaku::bench

int main(int count, char** words) {
  if (count != 4) return std::fprintf(stderr, "usage: bench_sink ADDRESS PORT DELAY_MS\n"), 64;
  return hikyaku::bench::run(words);
}
