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

// Connections without a mail, those that are being opened included; where there is none, the one that could be
// opened now.
std::size_t free_connections(const smtpc::Lane& lane, Instant now) {
  if (lane.next_permitted(now) > now) return 0;
  const bool has_room = lane.connections() < lane.health().most();
  return std::max(lane.connections() - lane.busy(), static_cast<std::size_t>(has_room));
}

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

void Route::set_groups(Groups groups) {
  groups_ = std::move(groups);
  given_.clear();
}

void Route::remove(const smtpc::Lane& lane) {
  for (auto& group : groups_)
    for (RoutePlace& place : group)
      if (place.lane.get() == &lane) place.lane = nullptr;
  given_.erase(&lane);
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

bool Route::has_vacancy() const {
  return std::ranges::any_of(groups_, [](const auto& group) {
    return std::ranges::any_of(group, [](const RoutePlace& place) { return place.lane == nullptr; });
  });
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

bool Route::is_turn_of(const smtpc::Lane& lane) const {
  if (lane.is_retired() || !has(lane)) return false;
  if (lane.health().is_paused()) return lane.is_probing();
  return std::ranges::any_of(*active(), [&](const RoutePlace& place) { return place.lane.get() == &lane; });
}

std::size_t Route::share_of(const smtpc::Lane& lane, Instant now) const {
  if (due_.is_empty() || !is_turn_of(lane)) return 0;
  if (lane.health().is_paused()) return due_.size();
  std::size_t taken = 0;
  for (const RoutePlace& place : *active())
    if (is_up_now(place) && place.lane.get() != &lane && is_before(*place.lane, lane))
      taken += free_connections(*place.lane, now);
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
           return is_up_now(place) && place.lane->next_permitted(now) <= now + mail::kWaitStep;
         });
}

}  // namespace hikyaku::relay
