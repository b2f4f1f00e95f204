// SPDX-License-Identifier: MIT
#include "daemon/relay/route.h"

#include <algorithm>
#include <utility>

#include "daemon/mail/retry.h"

namespace hikyaku::relay {
namespace {

bool is_up_now(const RoutePlace& place) {
  return place.lane != nullptr && !place.lane->is_retired() && !place.lane->health().is_paused();
}

std::size_t free_connections(const smtpc::Lane& lane) { return lane.connections() - lane.busy(); }

}  // namespace

void RouteClock::update(Instant now, bool is_up) {
  if (std::exchange(was_up_, is_up)) time_ += mail::counted_wait(seen_, now);
  seen_ = now;
}

Route::Route(std::uint32_t part, std::string domain, std::shared_ptr<RouteClock> clock, Groups groups)
    : part_(part), domain_(std::move(domain)), clock_(std::move(clock)), groups_(std::move(groups)) {}

std::vector<LanePtr> Route::lanes() const {
  std::vector<LanePtr> lanes;
  for (const auto& group : groups_)
    for (const RoutePlace& place : group)
      if (place.lane != nullptr) lanes.push_back(place.lane);
  return lanes;
}

bool Route::has(const smtpc::Lane& lane) const {
  return std::ranges::any_of(groups_, [&](const auto& group) {
    return std::ranges::any_of(group, [&](const RoutePlace& place) { return place.lane.get() == &lane; });
  });
}

RoutePlace* Route::vacancy() {
  for (auto& group : groups_)
    for (RoutePlace& place : group)
      if (place.lane == nullptr) return &place;
  return nullptr;
}

void Route::wake() const {
  for (const auto& group : groups_)
    for (const RoutePlace& place : group)
      if (place.lane != nullptr) place.lane->wake();
}

const std::vector<RoutePlace>* Route::active() const {
  auto found =
      std::ranges::find_if(groups_, [](const auto& group) { return std::ranges::any_of(group, is_up_now); });
  return found == groups_.end() ? nullptr : &*found;
}

std::size_t Route::share_of(const smtpc::Lane& lane) const {
  if (due_.is_empty() || lane.is_retired() || !has(lane)) return 0;
  if (lane.health().is_paused()) return lane.is_probing() ? due_.size() : 0;
  const auto* group = active();
  if (std::ranges::none_of(*group, [&](const RoutePlace& place) { return place.lane.get() == &lane; }))
    return 0;
  std::size_t taken = 0;
  for (const RoutePlace& place : *group)
    if (is_up_now(place) && place.lane.get() != &lane && is_before(*place.lane, lane))
      taken += free_connections(*place.lane);
  return due_.size() - std::min(taken, due_.size());
}

// The busier of the two, by the part of its connections that have a mail, comes later; of equal ones the one
// that got a mail last.
bool Route::is_before(const smtpc::Lane& a, const smtpc::Lane& b) const {
  const std::size_t load_a = a.busy() * b.smarthost().connections;
  const std::size_t load_b = b.busy() * a.smarthost().connections;
  if (load_a != load_b) return load_a < load_b;
  return std::pair(last_given(a), &a) < std::pair(last_given(b), &b);
}

void Route::note_given(const smtpc::Lane& lane) {
  static thread_local std::uint64_t sequence = 0;
  given_[&lane] = ++sequence;
}

std::uint64_t Route::last_given(const smtpc::Lane& lane) const {
  auto found = given_.find(&lane);
  return found == given_.end() ? 0 : found->second;
}

bool Route::is_up(Instant now) const {
  const auto* group = active();
  return group != nullptr && std::ranges::any_of(*group, [now](const RoutePlace& place) {
           return is_up_now(place) && place.lane->next_permitted() <= now + mail::kWaitStep;
         });
}

}  // namespace hikyaku::relay
