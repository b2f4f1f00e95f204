// SPDX-License-Identifier: MIT
#include "daemon/relay/routes.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/mail/diagnosis.h"

namespace hikyaku::relay {
namespace {

constexpr Duration kReminder = 24h;     // between two lines about a smarthost that stays paused
constexpr Duration kBetweenLooks = 1s;  // at all routes, of which there may be many thousands

std::vector<mail::Smarthost> directs_of(const config::Settings& settings) {
  std::vector<mail::Smarthost> directs;
  for (const mail::Smarthost& smarthost : settings.smarthosts)
    if (smarthost.direct) directs.push_back(smarthost);
  return directs;
}

}  // namespace

Routes::Routes(io::Loop& loop, log::MailLog& log)
    : loop_(loop), log_(log), table_(loop.now()), destinations_(loop, log), last_reminder_(loop.now()) {}

void Routes::configure(const config::Settings& settings, std::vector<LanePtr> lanes, MakeLane make_lane) {
  forget_ended_lanes();
  retire();
  for (const LanePtr& lane : all_lanes()) retired_.push_back(lane);
  for (const RoutePtr& route : std::exchange(waiting_, {})) route->set_waiting(false);
  next_look_at_all_ = loop_.now();
  destinations_.configure(directs_of(settings), std::move(make_lane));
  table_.configure(settings, std::move(lanes), loop_.now());
}

std::vector<LanePtr> Routes::all_lanes() const {
  std::vector<LanePtr> all = destinations_.lanes();
  all.insert(all.end(), table_.lanes().begin(), table_.lanes().end());
  return all;
}

// ---- the recipients' own servers

std::optional<Duration> Routes::furnish(const RoutePtr& route) {
  RoutePlace* vacancy = route->vacancy();
  if (vacancy == nullptr) return std::nullopt;
  vacancy->lane = destinations_.lane(vacancy->smarthost, route->domain());
  table_.serve(route);
  const Duration rest = destinations_.rest(vacancy->smarthost, route->domain());
  if (vacancy->lane == nullptr && !destinations_.has_room()) note_waiting(route);
  return route->lanes().empty() && rest > Duration{0} ? std::optional(rest) : std::nullopt;
}

std::vector<RoutePtr> Routes::give_up(const smtpc::Lane& lane, bool rests) {
  const std::vector<RoutePtr> served = table_.served_by(lane);
  table_.forget(lane);
  if (LanePtr retired = destinations_.retire(lane, rests)) retired_.push_back(retired);
  std::vector<RoutePtr> left;
  for (const RoutePtr& route : served) {
    if (route->lanes().empty()) left.push_back(route);
    route->wake();
  }
  return left;
}

void Routes::sweep() {
  if (destinations_.directs().empty()) return;
  const bool is_time = loop_.now() >= next_look_at_all_;
  if (!is_time && waiting_.empty()) return;
  for (const LanePtr& lane : destinations_.lanes())
    if (is_idle(*lane)) give_up(*lane, false);
  if (is_time) look_at_all_routes();
  while (!waiting_.empty() && destinations_.has_room()) {
    const RoutePtr route = std::move(waiting_.front());
    waiting_.pop_front();
    route->set_waiting(false);
    if (!route->due().is_empty() && !furnish(route)) route->wake();
  }
}

void Routes::note_waiting(const RoutePtr& route) {
  if (!route->set_waiting(true)) waiting_.push_back(route);
}

// Finds those too whose lane is gone, or whose destination no longer rests.
void Routes::look_at_all_routes() {
  next_look_at_all_ = loop_.now() + kBetweenLooks;
  forget_ended_lanes();
  table_.forget_idle();
  for (const RoutePtr& route : table_.all())
    if (!route->due().is_empty() && route->vacancy() != nullptr) note_waiting(route);
}

// Connections that only wait for more mail are kept, unless others need the lane.
bool Routes::is_idle(const smtpc::Lane& lane) const {
  const bool is_needed =
      std::ranges::any_of(table_.served_by(lane), [](const auto& route) { return !route->due().is_empty(); });
  const std::size_t in_use = destinations_.has_room() ? lane.connections() : lane.busy();
  return !is_needed && in_use == 0 && !lane.is_being_looked_at();
}

// ---- all lanes

// Even as a weak pointer one keeps the lane's memory.
void Routes::forget_ended_lanes() {
  std::erase_if(retired_, [](const auto& lane) { return lane.expired(); });
}

std::string Routes::host_of(const std::string& smarthost) const {
  LanePtr lane = table_.lane_named(smarthost);
  return lane == nullptr ? "" : lane->smarthost().host;
}

void Routes::share(unsigned nodes) {
  for (const LanePtr& lane : all_lanes()) lane->share(nodes);
}

void Routes::wake() {
  for (const LanePtr& lane : all_lanes()) lane->wake();
}

void Routes::probe_paused() {
  for (const LanePtr& lane : table_.lanes())
    if (lane->health().is_paused()) lane->probe_now();
}

void Routes::retire() {
  for (const LanePtr& lane : all_lanes()) lane->retire();
}

void Routes::stop() {
  for (const LanePtr& lane : all_lanes()) lane->stop();
  for (const auto& lane : retired_)
    if (auto still_there = lane.lock()) still_there->stop();
}

void Routes::clear() {
  table_.clear();
  destinations_.clear();
}

// ---- the log

void Routes::note_change(const smtpc::Lane& lane, const Backlog& backlog) {
  log_state(lane, backlog);
  wake();
}

bool Routes::owes_reminder() const { return loop_.now() - last_reminder_ >= kReminder; }

void Routes::remind(const Backlog& backlog) {
  last_reminder_ = loop_.now();
  for (const LanePtr& lane : table_.lanes())
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
