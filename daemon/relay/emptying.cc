// SPDX-License-Identifier: MIT
#include "daemon/relay/emptying.h"

#include <algorithm>

namespace hikyaku::relay {
namespace {

constexpr Duration kWorthWaiting = 1min;  // for a rate that is used up

// A lane that has begun to look counts: soon it is known whether its smarthost takes mail.
bool may_take_soon(const smtpc::Lane& lane, Instant now) {
  if (lane.is_retired()) return false;
  if (lane.is_being_looked_at()) return true;
  return !lane.health().is_paused() && lane.next_permitted(now) <= now + kWorthWaiting;
}

}  // namespace

void Emptying::begin_round() {
  due_.begin_round();
  routes_.probe_paused();
}

void Emptying::end_round() { due_.end_round(); }

bool Emptying::is_round_over() const {
  if (!is_idle_() || !due_.is_settled()) return false;
  return std::ranges::all_of(routes_.table().all(), [this](const RoutePtr& route) {
    return route->due().is_empty() || is_stuck(*route);
  });
}

// A place without a lane waits for one to the recipients' own servers.
bool Emptying::is_stuck(const Route& route) const {
  return !route.has_vacancy() && std::ranges::none_of(route.lanes(), [this](const LanePtr& lane) {
    return may_take_soon(*lane, loop_.now());
  });
}

}  // namespace hikyaku::relay
