// SPDX-License-Identifier: MIT
// The relay's status, for `hikyaku status` and the control socket.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/mail/queue_state.h"

namespace hikyaku::relay {

struct StatusReport {
  std::string version;
  Duration uptime{0};
  std::size_t active = 0;    // due or under way, and there is a smarthost that takes it
  std::size_t deferred = 0;  // waits for its time or for a smarthost: see mail/queue_state.h
  std::size_t held = 0;
  std::string spool_trouble;  // why the spool takes no new mail; empty if it does
  std::vector<mail::SmarthostReport> smarthosts;
  std::optional<WallTime> last_delivery;  // since the start
  std::size_t failed = 0;                 // mails that did not reach everybody, in the last day
  std::optional<WallTime> released{};     // when all that waited for its time became due, the last time
  std::vector<std::string> warnings;      // of the set-up (config/warnings.h)
};

inline mail::RouteState route_state_of(const StatusReport& status, WallTime now) {
  return mail::route_state_of(status.smarthosts, status.released, now);
}

}  // namespace hikyaku::relay
