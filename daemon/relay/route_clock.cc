// SPDX-License-Identifier: MIT
#include "daemon/relay/route_clock.h"

#include <utility>

#include "daemon/mail/retry.h"

namespace hikyaku::relay {

void RouteClock::update(Instant now, bool is_up) {
  if (std::exchange(was_up_, is_up)) time_ += mail::counted_wait(seen_, now);
  seen_ = now;
}

}  // namespace hikyaku::relay
