// SPDX-License-Identifier: MIT
#include "daemon/relay/route_table.h"

#include <algorithm>
#include <utility>

#include "daemon/base/checksum.h"
#include "daemon/base/error.h"
#include "daemon/base/text.h"
#include "daemon/config/route_keys.h"
#include "daemon/mail/address.h"

namespace hikyaku::relay {
namespace {

// The lowest bits of a part's number are that of its rule, from 1 on.
constexpr std::uint32_t kRuleMask = 0xff;
static_assert(config::kMostRoutes < kRuleMask);

bool is_direct(const config::Settings& settings, const std::string& name) {
  return std::ranges::any_of(settings.smarthosts, [&](const mail::Smarthost& smarthost) {
    return smarthost.direct && equals_ignoring_case(smarthost.name, name);
  });
}

bool names_direct(const config::Settings& settings, const config::RouteSettings& route) {
  return std::ranges::any_of(route.via, [&](const auto& group) {
    return std::ranges::any_of(group, [&](const auto& name) { return is_direct(settings, name); });
  });
}

}  // namespace

void RouteTable::configure(const config::Settings& settings, std::vector<LanePtr> lanes, Instant now) {
  const bool keeps_shape = has_shape_of(settings);
  lanes_ = std::move(lanes);
  served_.clear();
  if (!keeps_shape) set_rules(settings, now);
  for (const auto& [place, route] : routes_) {
    route->set_groups(groups_for(place));
    serve(route);
  }
  for (std::size_t rule = 0; rule < rules_.size(); ++rule) route_at({.rule = rule});
  only_ = nullptr;
  if (rules_.size() == 1 && !rules_.front().is_direct) only_ = route_at({});
}

void RouteTable::clear() {
  for (const auto& [place, route] : routes_) route->set_groups({});
  served_.clear();
  lanes_.clear();
}

void RouteTable::forget(const smtpc::Lane& lane) {
  for (const RoutePtr& route : served_by(lane)) route->remove(lane);
  served_.erase(&lane);
}

void RouteTable::forget_idle() {
  std::erase_if(routes_, [this](const auto& each) {
    const RoutePtr& route = each.second;
    const bool is_needed = route == only_ || route->domain().empty() || !route->due().is_empty();
    if (is_needed || route->vacancy() == nullptr) return false;
    for (auto& [lane, routes] : served_) std::erase(routes, route);
    return true;
  });
}

std::vector<RoutePtr> RouteTable::all() const {
  std::vector<RoutePtr> all;
  for (const auto& [place, route] : routes_) all.push_back(route);
  return all;
}

bool RouteTable::has_shape_of(const config::Settings& settings) const {
  const auto routes = config::routes_of(settings);
  return std::ranges::equal(routes, rules_, [&](const config::RouteSettings& route, const Rule& rule) {
    return route == rule.settings && names_direct(settings, route) == rule.is_direct;
  });
}

void RouteTable::set_rules(const config::Settings& settings, Instant now) {
  check(due() == 0, "routes were changed under mail that is due");
  routes_.clear();
  rules_.clear();
  for (const config::RouteSettings& route : config::routes_of(settings))
    rules_.push_back({route, std::make_shared<RouteClock>(now), names_direct(settings, route)});
  if (rules_.size() == 1) rules_.front().clock = clock_;
}

std::vector<Entry> RouteTable::take_due() {
  std::vector<Entry> taken;
  for (const auto& [place, route] : routes_)
    for (Entry entry : route->due().take_all()) {
      leave(entry, *route);
      taken.push_back(entry);
    }
  return taken;
}

void RouteTable::enter(const Route& route, Entry& entry) const {
  if (entry.part == 0) entry.since += route.time() - time();
  entry.part = route.part();
}

void RouteTable::leave(Entry& entry) const {
  const std::size_t rule = (entry.part & kRuleMask) - 1;
  if (entry.part != 0 && rule < rules_.size()) entry.since += time() - rules_[rule].clock->time();
  entry.part = 0;
}

void RouteTable::leave(Entry& entry, const Route& route) const {
  if (entry.part != 0) entry.since += time() - route.time();
  entry.part = 0;
}

LanePtr RouteTable::lane_named(const std::string& smarthost) const {
  auto found = std::ranges::find_if(
      lanes_, [&](const LanePtr& lane) { return equals_ignoring_case(lane->name(), smarthost); });
  return found == lanes_.end() ? nullptr : *found;
}

Route::Groups RouteTable::groups_for(const Place& place) const {
  Route::Groups groups;
  for (const auto& names : rules_[place.rule].settings.via) {
    std::vector<RoutePlace> group;
    for (const std::string& name : names) {
      if (place.excluded.find(cat(to_lower(name), "\n")) != std::string::npos) continue;
      LanePtr lane = lane_named(name);
      group.push_back({.smarthost = name, .is_direct = lane == nullptr, .lane = std::move(lane)});
    }
    if (!group.empty()) groups.push_back(std::move(group));
  }
  return groups;
}

RouteTable::Place RouteTable::place_of(const std::string& sender, const std::string& recipient) const {
  Place place{.rule = config::route_for(rules_, sender, recipient, &Rule::settings)};
  if (rules_[place.rule].is_direct) place.domain = to_lower(mail::domain_of(recipient));
  return place;
}

std::uint32_t RouteTable::part_of(const Place& place) {
  const auto sum = place.domain.empty() ? 0 : static_cast<std::uint32_t>(checksum(place.domain, 0));
  return (sum & ~kRuleMask) | static_cast<std::uint32_t>(place.rule + 1);
}

std::uint32_t RouteTable::part_of(const std::string& sender, const std::string& recipient) const {
  return only_ ? only_->part() : part_of(place_of(sender, recipient));
}

RoutePtr RouteTable::find(const std::string& sender, const std::string& recipient) {
  return only_ ? only_ : route_at(place_of(sender, recipient));
}

RoutePtr RouteTable::route_at(const Place& place) {
  RoutePtr& route = routes_[place];
  if (route == nullptr) {
    route =
        std::make_shared<Route>(part_of(place), place.domain, rules_[place.rule].clock, groups_for(place));
    serve(route);
  }
  return route;
}

RoutePtr RouteTable::without(const Route& route, const std::string& smarthost) {
  auto found = std::ranges::find_if(routes_, [&](const auto& each) { return each.second.get() == &route; });
  if (found == routes_.end()) return nullptr;
  Place place = found->first;
  place.excluded += cat(to_lower(smarthost), "\n");
  return groups_for(place).empty() ? nullptr : route_at(place);
}

void RouteTable::serve(const RoutePtr& route) {
  for (const LanePtr& lane : route->lanes()) {
    auto& routes = served_[lane.get()];
    if (std::ranges::find(routes, route) == routes.end()) routes.push_back(route);
  }
}

const std::vector<RoutePtr>& RouteTable::served_by(const smtpc::Lane& lane) const {
  static const std::vector<RoutePtr> kNone;
  auto found = served_.find(&lane);
  return found == served_.end() ? kNone : found->second;
}

RoutePtr RouteTable::next_for(const smtpc::Lane& lane) const {
  RoutePtr next;
  for (const RoutePtr& route : served_by(lane))
    if (!route->due().is_empty() && route->is_turn_of(lane) &&
        (next == nullptr || route->last_given(lane) < next->last_given(lane)))
      next = route;
  return next;
}

std::size_t RouteTable::due() const {
  std::size_t due = 0;
  for (const auto& [place, route] : routes_) due += route->due().size();
  return due;
}

Duration RouteTable::oldest() const {
  Duration oldest{0};
  for (const auto& [place, route] : routes_)
    if (auto first = route->due().first()) oldest = std::max(oldest, route->time() - first->since);
  return oldest;
}

// By the smarthosts that it names.
bool RouteTable::is_rule_up(std::size_t rule, Instant now) const {
  return (lanes_.empty() && !rules_[rule].is_direct) || routes_.at({.rule = rule})->is_up(now);
}

void RouteTable::update_clocks(Instant now, bool are_destinations_up) {
  bool is_any_up = rules_.empty();
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const bool is_up = (rules_[i].is_direct && are_destinations_up) || is_rule_up(i, now);
    if (rules_[i].clock != clock_) rules_[i].clock->update(now, is_up);
    is_any_up = is_any_up || is_up;
  }
  clock_->update(now, is_any_up);
}

std::size_t RouteTable::room(std::size_t most, Instant now, bool are_destinations_up) const {
  std::vector<bool> up;
  for (std::size_t i = 0; i < rules_.size(); ++i)
    up.push_back((rules_[i].is_direct && are_destinations_up) || is_rule_up(i, now));
  if (std::ranges::find(up, true) == up.end()) return due() == 0 ? 1 : 0;
  std::size_t waiting = 0;
  for (const auto& [place, route] : routes_)
    if (up[place.rule]) waiting += route->due().size();
  return most - std::min(most, waiting);
}

}  // namespace hikyaku::relay
