// SPDX-License-Identifier: MIT
// One connection to the control socket. All calls block for a limited time: a request must arrive within a
// time, an answer may take as long as the client keeps reading, and everything ends at once when another
// thread calls shut_down(). File descriptors sent by a client are never accepted. One thread, except for
// shut_down().
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
  // From the first wait to the body's last byte.
  std::chrono::milliseconds request = std::chrono::seconds(10);
  // How long the client may read nothing of an answer.
  std::chrono::milliseconds stalled = std::chrono::minutes(5);
};

class ControlConnection {
 public:
  using Clock = std::chrono::steady_clock;
  ControlConnection(Fd socket, ControlTimes times);

  // The request's head; nullopt if it did not arrive in time or completely. Of a head that is too long,
  // returns the beginning, so that the head can be refused.
  std::optional<std::string> read_head();
  // Reads at least one byte of what follows the head; returns 0 at the end or when the time is over.
  std::size_t read(std::span<char> into);
  // Writes all of it; false if the client has left or does not read.
  bool write(std::string_view bytes);
  // Whether the client is still there.
  bool has_peer() const;
  // From any thread: all calls end at once from now on.
  void shut_down() const;

  int fd() const { return socket_.get(); }

 private:
  bool wait(short events, Clock::time_point until) const;

  Fd socket_;
  ControlTimes times_;
  Clock::time_point deadline_;
  std::string ahead_;  // read, but not yet returned
};

}  // namespace hikyaku::control
