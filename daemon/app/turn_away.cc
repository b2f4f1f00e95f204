// SPDX-License-Identifier: MIT
#include "daemon/app/turn_away.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <string_view>

namespace hikyaku::app {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

// RFC 3463: system incorrectly configured.
constexpr std::string_view kAnswer =
    "421 4.3.5 hikyakud cannot start: its configuration is wrong (see: journalctl -u hikyaku)\r\n";

void answer_all(int listening) {
  for (;;) {
    Fd client(::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client) return;
    ::send(client.get(), kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
    ::shutdown(client.get(), SHUT_WR);
  }
}

}  // namespace

void turn_away(const std::vector<Fd>& listening, milliseconds span) {
  std::vector<pollfd> waiting;
  for (const Fd& socket : listening) {
    ::fcntl(socket.get(), F_SETFL, ::fcntl(socket.get(), F_GETFL) | O_NONBLOCK);
    waiting.push_back({socket.get(), POLLIN, 0});
  }
  const auto end = SteadyClock::now() + span;
  while (!waiting.empty() && SteadyClock::now() < end) {
    auto left = std::chrono::ceil<milliseconds>(end - SteadyClock::now());
    if (::poll(waiting.data(), waiting.size(), static_cast<int>(left.count())) <= 0) continue;
    for (const pollfd& socket : waiting)
      if (socket.revents != 0) answer_all(socket.fd);
  }
}

std::vector<Fd> duplicates(const std::vector<Fd>& sockets) {
  std::vector<Fd> copies;
  for (const Fd& socket : sockets) copies.emplace_back(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
  return copies;
}

}  // namespace hikyaku::app
