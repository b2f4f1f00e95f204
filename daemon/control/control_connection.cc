// SPDX-License-Identifier: MIT
#include "daemon/control/control_connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace hikyaku::control {

ControlConnection::ControlConnection(Fd socket, ControlTimes times)
    : socket_(std::move(socket)), times_(times), deadline_(Clock::now() + times.request) {}

bool ControlConnection::wait(short events, Clock::time_point until) const {
  for (;;) {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd waiting{socket_.get(), events, 0};
    int ready = ::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

std::optional<std::string> ControlConnection::read_head() {
  std::array<char, 4096> piece;
  std::string head;
  std::size_t length = 0;
  while (length == 0 && head.size() < kMaxHead) {
    std::size_t got = read(std::span(piece).first(std::min(piece.size(), kMaxHead - head.size())));
    if (got == 0) return std::nullopt;
    head.append(piece.data(), got);
    length = head_length(head);
  }
  if (length == 0) return head;
  ahead_ = head.substr(length);
  head.resize(length);
  return head;
}

std::size_t ControlConnection::read(std::span<char> into) {
  if (!ahead_.empty()) {
    std::size_t taken = ahead_.copy(into.data(), into.size());
    ahead_.erase(0, taken);
    return taken;
  }
  while (wait(POLLIN, deadline_)) {
    ssize_t got = ::recv(socket_.get(), into.data(), into.size(), MSG_DONTWAIT);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EAGAIN && errno != EINTR) return 0;
  }
  return 0;
}

bool ControlConnection::write(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    bool must_wait = sent < 0 && errno == EAGAIN;
    if (sent < 0 && !must_wait && errno != EINTR) return false;
    if (must_wait && !wait(POLLOUT, Clock::now() + times_.stalled)) return false;
  }
  return true;
}

// A peer that has closed, not one that has only said that it sends no more.
bool ControlConnection::has_peer() const {
  pollfd looking{socket_.get(), 0, 0};
  return ::poll(&looking, 1, 0) <= 0 || (looking.revents & (POLLHUP | POLLERR)) == 0;
}

void ControlConnection::shut_down() const { ::shutdown(socket_.get(), SHUT_RDWR); }

}  // namespace hikyaku::control
