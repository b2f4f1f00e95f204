// SPDX-License-Identifier: MIT
// One connection to the control socket, with blocking calls that all have an end: a head and a body within a
// time, an answer as long as the peer goes on taking it, everything at once when another thread shuts it
// down. Descriptors that a peer passes along are never taken. One thread, but for shut_down().
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "daemon/base/fd.h"
#include "daemon/control/control_head.h"

namespace hikyaku::control {

struct ControlTimes {
  std::chrono::milliseconds request =
      std::chrono::seconds(10);                                 // from the first wait to the body's last byte
  std::chrono::milliseconds stalled = std::chrono::minutes(5);  // an answer of which nothing is taken
};

class ControlConnection {
 public:
  using Clock = std::chrono::steady_clock;
  ControlConnection(Fd socket, ControlTimes times);

  // The request's head; nothing: none came in time, or it broke off. A head that is too long is handed out as
  // far as it came, so that it can be refused.
  std::optional<std::string> read_head();
  // Of what follows the head: at least one byte, 0 at the end or when the time is over.
  std::size_t read(std::span<char> into);
  // All of it. False: the peer has left, or takes nothing any more.
  bool write(std::string_view bytes);
  // Whether anybody still waits for an answer.
  bool has_peer() const;
  // From any thread: from now on everything ends at once.
  void shut_down() const;

  int fd() const { return socket_.get(); }

 private:
  bool wait(short events, Clock::time_point until) const;

  Fd socket_;
  ControlTimes times_;
  Clock::time_point deadline_;
  std::string ahead_;  // read, and not yet handed out
};

}  // namespace hikyaku::control
