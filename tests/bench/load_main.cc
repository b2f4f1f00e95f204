// SPDX-License-Identifier: MIT
// The load: `bench_load ADDRESS PORT CLIENTS SECONDS SIZE perconn|reuse [DOMAINS]`. CLIENTS clients hand in
// messages of SIZE bytes for SECONDS, each over a connection of its own or over connections that stay, to each of
// the addresses of ADDRESS[,ADDRESS...] in turn; with DOMAINS for recipients at d1.dest.example to dDOMAINS.dest.example in turn. Prints one line:
//   acknowledged=N seconds=S began=T ended=T       T: CLOCK_MONOTONIC
// Messages are numbered from 0; every number that was begun has been acknowledged. One thread: it must take
// no more of the machine than it has to, and the same for every relay.
#include <arpa/inet.h>
#include <sys/epoll.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/text.h"
#include "tests/bench/client.h"

namespace hikyaku::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr int kPatienceMs = 30'000;

std::string make_content(std::size_t size) {
  std::string content =
      "From: a@src.example\r\nTo: b@dest.example\r\nSubject: bench\r\nDate: Sun, 22 Nov 2026 03:14:04 "
      "+0000\r\n"
      "Message-ID: <bench@src.example>\r\n\r\n";
  while (content.size() + 80 < size) content += std::string(78, 'X') + "\r\n";
  return content + ".\r\n";
}

std::vector<sockaddr_in> relays_at(std::string_view addresses, unsigned long port) {
  std::vector<sockaddr_in> relays;
  for (std::string_view address : split(addresses, ',')) {
    sockaddr_in relay{};
    relay.sin_family = AF_INET;
    relay.sin_port = htons(static_cast<in_port_t>(port));
    inet_pton(AF_INET, std::string(address).c_str(), &relay.sin_addr);
    relays.push_back(relay);
  }
  return relays;
}

void drive(Load& load, int epoll, std::size_t clients, Clock::time_point end) {
  while (clients > 0) {
    epoll_event events[64];
    const int count = epoll_wait(epoll, events, std::size(events), kPatienceMs);
    if (count == 0) throw std::runtime_error("the relay has stopped answering");
    load.is_over = Clock::now() >= end;
    for (const auto& event : std::span(events).first(static_cast<std::size_t>(count < 0 ? 0 : count)))
      if (!static_cast<Client*>(event.data.ptr)->advance()) clients--;
  }
}

int run(std::span<char*> words) {
  const auto count = std::strtoul(words[3], nullptr, 10);
  const Seconds seconds(std::strtod(words[4], nullptr));
  const auto relays = relays_at(words[1], std::strtoul(words[2], nullptr, 10));
  Load load;
  load.content = make_content(std::strtoul(words[5], nullptr, 10));
  load.reuse_connections = std::string_view(words[6]) == "reuse";
  if (words.size() > 7) load.domains = std::strtoul(words[7], nullptr, 10);

  const Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  std::deque<Client> clients;
  const auto began = Clock::now();
  while (clients.size() < count)
    clients.emplace_back(load, relays[clients.size() % relays.size()], epoll.get());
  drive(load, epoll.get(), count, began + std::chrono::duration_cast<Clock::duration>(seconds));
  const auto ended = Clock::now();
  std::printf("acknowledged=%llu seconds=%.6f began=%.6f ended=%.6f\n",
              static_cast<unsigned long long>(load.acknowledged), Seconds(ended - began).count(),
              Seconds(began.time_since_epoch()).count(), Seconds(ended.time_since_epoch()).count());
  return 0;
}

}  // namespace
}  // namespace hikyaku::bench

int main(int count, char** words) {
  if (count != 7 && count != 8)
    return std::fprintf(
               stderr, "usage: bench_load ADDRESS[,...] PORT CLIENTS SECONDS SIZE perconn|reuse [DOMAINS]\n"),
           64;
  try {
    return hikyaku::bench::run({words, static_cast<std::size_t>(count)});
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "bench_load: %s\n", error.what()), 1;
  }
}
