// SPDX-License-Identifier: MIT
#include "daemon/relay/routes.h"

#include <algorithm>
#include <utility>

#include "daemon/base/checksum.h"
#include "daemon/base/text.h"
#include "daemon/config/route_keys.h"
#include "daemon/mail/address.h"
#include "daemon/mail/diagnosis.h"

namespace hikyaku::relay {
namespace {

// The lowest bits of a part's number are that of its rule, from 1 on.
constexpr std::uint32_t kRuleMask = 0xff;
static_assert(config::kMostRoutes < kRuleMask);

constexpr Duration kReminder = 24h;  // between two lines about a smarthost that stays paused

std::vector<mail::Smarthost> directs_of(const config::Settings& settings) {
  std::vector<mail::Smarthost> directs;
  for (const mail::Smarthost& smarthost : settings.smarthosts)
    if (smarthost.direct) directs.push_back(smarthost);
  return directs;
}

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

Routes::Routes(io::Loop& loop, log::MailLog& log)
    : loop_(loop),
      log_(log),
      clock_(std::make_shared<RouteClock>(loop.now())),
      destinations_(loop, log),
      last_reminder_(loop.now()) {}

// ---- the configuration

bool Routes::has_shape_of(const config::Settings& settings) const {
  const auto routes = config::routes_of(settings);
  return std::ranges::equal(routes, rules_, [&](const config::RouteSettings& route, const Rule& rule) {
    return route == rule.settings && names_direct(settings, route) == rule.is_direct;
  });
}

void Routes::configure(const config::Settings& settings, const std::vector<LanePtr>& lanes,
                       MakeLane make_lane) {
  std::erase_if(retired_, [](const auto& lane) { return lane.expired(); });
  const bool keeps_shape = has_shape_of(settings);
  retire();
  retired_.insert(retired_.end(), lanes_.begin(), lanes_.end());
  for (const LanePtr& lane : destinations_.lanes()) retired_.push_back(lane);
  destinations_.configure(directs_of(settings), std::move(make_lane));
  lanes_ = lanes;
  served_.clear();
  if (!keeps_shape) set_rules(settings);
  for (const auto& [place, route] : routes_) {
    route->set_groups(groups_for(place));
    serve(route);
  }
  only_ = nullptr;
  if (rules_.size() == 1 && !rules_.front().is_direct) only_ = route_at({});
}

void Routes::set_rules(const config::Settings& settings) {
  check(due() == 0, "routes were changed under mail that is due");
  routes_.clear();
  rules_.clear();
  for (const config::RouteSettings& route : config::routes_of(settings))
    rules_.push_back({route, std::make_shared<RouteClock>(loop_.now()), names_direct(settings, route)});
  if (rules_.size() == 1) rules_.front().clock = clock_;
}

std::vector<Entry> Routes::take_due() {
  std::vector<Entry> taken;
  for (const auto& [place, route] : routes_)
    for (Entry entry : route->due().take_all()) {
      leave(entry, *route);
      taken.push_back(entry);
    }
  return taken;
}

void Routes::enter(const Route& route, Entry& entry) const {
  if (entry.part == 0) entry.since += route.time() - time();
  entry.part = route.part();
}

void Routes::leave(Entry& entry) const {
  const std::size_t rule = (entry.part & kRuleMask) - 1;
  if (entry.part != 0 && rule < rules_.size()) entry.since += time() - rules_[rule].clock->time();
  entry.part = 0;
}

void Routes::leave(Entry& entry, const Route& route) const {
  if (entry.part != 0) entry.since += time() - route.time();
  entry.part = 0;
}

LanePtr Routes::lane_named(const std::string& smarthost) const {
  auto found = std::ranges::find_if(
      lanes_, [&](const LanePtr& lane) { return equals_ignoring_case(lane->name(), smarthost); });
  return found == lanes_.end() ? nullptr : *found;
}

Route::Groups Routes::groups_for(const Place& place) const {
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

// ---- the way of an address

Routes::Place Routes::place_of(const std::string& sender, const std::string& recipient) const {
  auto takes = [&](const Rule& rule) {
    return mail::matches_any(rule.settings.from, sender) && mail::matches_any(rule.settings.to, recipient);
  };
  auto found = std::ranges::find_if(rules_, takes);
  if (found == rules_.end()) found = rules_.end() - 1;  // it takes everything, as the configuration demands
  Place place{.rule = static_cast<std::size_t>(found - rules_.begin())};
  if (found->is_direct) place.domain = to_lower(mail::domain_of(recipient));
  return place;
}

std::uint32_t Routes::part_of(const Place& place) const {
  const auto sum = place.domain.empty() ? 0 : static_cast<std::uint32_t>(checksum(place.domain, 0));
  return (sum & ~kRuleMask) | static_cast<std::uint32_t>(place.rule + 1);
}

std::uint32_t Routes::part_of(const std::string& sender, const std::string& recipient) const {
  return only_ ? only_->part() : part_of(place_of(sender, recipient));
}

RoutePtr Routes::find(const std::string& sender, const std::string& recipient) {
  return only_ ? only_ : route_at(place_of(sender, recipient));
}

RoutePtr Routes::route_at(const Place& place) {
  RoutePtr& route = routes_[place];
  if (route == nullptr) {
    route =
        std::make_shared<Route>(part_of(place), place.domain, rules_[place.rule].clock, groups_for(place));
    serve(route);
  }
  return route;
}

RoutePtr Routes::without(const Route& route, const std::string& smarthost) {
  auto found = std::ranges::find_if(routes_, [&](const auto& each) { return each.second.get() == &route; });
  if (found == routes_.end()) return nullptr;
  Place place = found->first;
  place.excluded += cat(to_lower(smarthost), "\n");
  return groups_for(place).empty() ? nullptr : route_at(place);
}

void Routes::serve(const RoutePtr& route) {
  for (const LanePtr& lane : route->lanes()) {
    auto& routes = served_[lane.get()];
    if (std::ranges::find(routes, route) == routes.end()) routes.push_back(route);
  }
}

const std::vector<RoutePtr>& Routes::served_by(const smtpc::Lane& lane) const {
  static const std::vector<RoutePtr> kNone;
  auto found = served_.find(&lane);
  return found == served_.end() ? kNone : found->second;
}

RoutePtr Routes::next_for(const smtpc::Lane& lane) const {
  RoutePtr next;
  for (const RoutePtr& route : served_by(lane))
    if (!route->due().is_empty() && route->is_turn_of(lane) &&
        (next == nullptr || route->last_given(lane) < next->last_given(lane)))
      next = route;
  return next;
}

// ---- the recipients' own servers

std::optional<Duration> Routes::furnish(const RoutePtr& route) {
  std::optional<Duration> rest;
  if (RoutePlace* vacancy = route->vacancy()) {
    vacancy->lane = destinations_.lane(vacancy->smarthost, route->domain());
    const Duration left = destinations_.rest(vacancy->smarthost, route->domain());
    serve(route);
    if (route->lanes().empty() && left > Duration{0}) rest = left;
  }
  return rest;
}

std::vector<RoutePtr> Routes::give_up(const smtpc::Lane& lane, bool rests) {
  std::vector<RoutePtr> left;
  for (const RoutePtr& route : std::vector(served_by(lane))) {
    route->remove(lane);
    if (route->lanes().empty()) left.push_back(route);
    route->wake();
  }
  served_.erase(&lane);
  if (LanePtr retired = destinations_.retire(lane, rests)) retired_.push_back(retired);
  return left;
}

void Routes::sweep() {
  for (const LanePtr& lane : destinations_.lanes()) {
    const auto& routes = served_by(*lane);
    const bool is_idle =
        lane->connections() == 0 && !lane->is_being_looked_at() &&
        std::ranges::all_of(routes, [](const auto& route) { return route->due().is_empty(); });
    if (is_idle) give_up(*lane, false);
  }
  std::erase_if(routes_, [this](const auto& each) {
    const RoutePtr& route = each.second;
    return route != only_ && !route->domain().empty() && route->due().is_empty() &&
           route->vacancy() != nullptr;
  });
  for (const auto& [place, route] : routes_)
    if (!route->due().is_empty() && destinations_.has_room() && !furnish(route)) route->wake();
}

// ---- all lanes

std::size_t Routes::due() const {
  std::size_t due = 0;
  for (const auto& [place, route] : routes_) due += route->due().size();
  return due;
}

Duration Routes::oldest() const {
  Duration oldest{0};
  for (const auto& [place, route] : routes_)
    if (auto first = route->due().first()) oldest = std::max(oldest, route->time() - first->since);
  return oldest;
}

std::string Routes::host_of(const std::string& smarthost) const {
  LanePtr lane = lane_named(smarthost);
  return lane == nullptr ? "" : lane->smarthost().host;
}

void Routes::wake() {
  for (const LanePtr& lane : lanes_) lane->wake();
  for (const LanePtr& lane : destinations_.lanes()) lane->wake();
}

void Routes::probe_paused() {
  for (const LanePtr& lane : lanes_)
    if (lane->health().is_paused()) lane->probe_now();
}

void Routes::retire() {
  for (const LanePtr& lane : lanes_) lane->retire();
  for (const LanePtr& lane : destinations_.lanes()) lane->retire();
}

void Routes::stop() {
  for (const LanePtr& lane : lanes_) lane->stop();
  for (const LanePtr& lane : destinations_.lanes()) lane->stop();
  for (const auto& lane : retired_)
    if (auto still_there = lane.lock()) still_there->stop();
}

void Routes::clear() {
  for (const auto& [place, route] : routes_) route->set_groups({});
  served_.clear();
  lanes_.clear();
  destinations_.clear();
}

// Mail to the recipients' own servers ages unless no domain at all can be reached.
void Routes::update_clocks() {
  bool is_any_up = rules_.empty();
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const bool is_up = (rules_[i].is_direct && !destinations_.trouble()) || is_rule_up(i);
    if (rules_[i].clock != clock_) rules_[i].clock->update(loop_.now(), is_up);
    is_any_up = is_any_up || is_up;
  }
  clock_->update(loop_.now(), is_any_up);
}

// By the smarthosts that it names. Where it has not been needed so far, nothing waits.
bool Routes::is_rule_up(std::size_t rule) const {
  if (lanes_.empty() && !rules_[rule].is_direct) return true;
  return Route(1, "", rules_[rule].clock, groups_for({.rule = rule})).is_up(loop_.now());
}

// ---- the log

void Routes::note_change(const smtpc::Lane& lane, const Backlog& backlog) {
  log_state(lane, backlog);
  wake();
}

void Routes::remind(const Backlog& backlog) {
  if (loop_.now() - last_reminder_ < kReminder) return;
  last_reminder_ = loop_.now();
  for (const LanePtr& lane : lanes_)
    if (lane->health().is_paused()) log_state(*lane, backlog);
  destinations_.remind(backlog);
}

// A suspicion: the smarthost takes mail, but has refused some that it would hardly have refused from the
// right account.
void Routes::log_state(const smtpc::Lane& lane, const Backlog& backlog) {
  const smtpc::Health& health = lane.health();
  if (!health.is_paused() && health.suspicion())
    log_.warning(mail::diagnose(*health.suspicion()), {{"smarthost", lane.name()}});
  else
    log_.smarthost(smarthost_line(lane, backlog, loop_.now()));
}

}  // namespace hikyaku::relay
