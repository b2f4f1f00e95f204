// SPDX-License-Identifier: MIT
// The relay's status, for `hikyaku status` and the control socket.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/mail/fleet.h"
#include "daemon/mail/queue_state.h"

namespace hikyaku::relay {

// How far `hikyaku drain` has got (daemon/app/drain.h).
struct DrainReport {
  enum class Stage : std::uint8_t {
    trying,        // everything is tried once
    handing_over,  // the rest goes to the peer
    drained,       // the queue is empty, and no mail is taken
    left_over,     // mail is left, and mail is taken again
  };
  Stage stage = Stage::trying;
  std::string to{};         // host and port of the peer; empty: there is none
  std::string why{};        // of left_over: a sentence, or empty
  std::size_t left = 0;     // queued, and not held
  std::size_t held = 0;     // for the operator, or because it cannot be read
  std::size_t drops = 0;    // that sendmail(1) has left in drop/
  std::size_t clients = 0;  // whose sessions have not ended yet
  bool is_closed() const { return stage != Stage::left_over; }  // no mail is taken
};

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
  std::optional<DrainReport> drain{};
  std::optional<mail::FleetReport> fleet{};  // of a shared spool, if its database answers
};

inline mail::RouteState route_state_of(const StatusReport& status, WallTime now) {
  return mail::route_state_of(status.smarthosts, status.released, now);
}

}  // namespace hikyaku::relay
