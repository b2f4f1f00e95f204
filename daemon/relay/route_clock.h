// SPDX-License-Identifier: MIT
// How long mail has been waiting through no fault of ours: time during which every lane of the route was
// paused does not count towards lifetime and delay notice. Advances in steps of at most one hour, so that no
// jump counts.
#pragma once

#include "daemon/base/clock.h"

namespace hikyaku::relay {

class RouteClock {
 public:
  explicit RouteClock(Instant now) : seen_(now) {}
  // To be called at every change of a lane and at least once an hour: the time since the last call counts if
  // the route was up then.
  void update(Instant now, bool is_up);
  Duration time() const { return time_; }

 private:
  Instant seen_;
  bool was_up_ = true;
  Duration time_{0};
};

}  // namespace hikyaku::relay
