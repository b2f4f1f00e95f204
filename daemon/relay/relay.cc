// SPDX-License-Identifier: MIT
#include "daemon/relay/relay.h"

#include <algorithm>
#include <map>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/io/tls.h"
#include "daemon/mail/diagnosis.h"
#include "daemon/relay/log_lines.h"
#include "smtpc/opening.h"

namespace hikyaku::relay {
namespace {

Task<void> run(std::shared_ptr<smtpc::Lane> lane) { co_await lane->run(); }

std::unique_ptr<Sharing> make_sharing(const RelayParts& parts, Proven& proven, Routes& routes) {
  if (parts.accounts == nullptr) return nullptr;
  return std::make_unique<Sharing>(SharingParts{parts.loop, *parts.accounts, parts.log, proven, routes});
}

config::Settings with_target(config::Settings settings, const std::optional<mail::Smarthost>& target) {
  if (!target) return settings;
  settings.smarthosts = {*target};
  settings.routes.clear();
  return settings;
}

// A destination answers: what kept mail from all of them is over. The backlog is counted only then.
void note_reached(Routes& routes, const QueueRunner& runner) {
  if (routes.destinations().trouble()) routes.destinations().note_reached(runner.backlog());
}

}  // namespace

Relay::Relay(RelayParts parts, Duration downtime)
    : parts_(std::move(parts)),
      proven_(parts_.proven_file),
      routes_(parts_.loop, parts_.log),
      sharing_(make_sharing(parts_, proven_, routes_)),
      rates_(sharing_ ? "" : parts_.rates_file, parts_.loop.clock(), parts_.log, boot_id(),
             sharing_ ? &sharing_->quotas() : nullptr),
      runner_({.loop = parts_.loop,
               .source = parts_.source,
               .sink = parts_.sink,
               .log = parts_.log,
               .dialogues = dialogues_,
               .jitter = parts_.jitter},
              routes_),
      nursery_(parts_.loop) {
  runner_.adopt(parts_.source.entries(), downtime);
  if (sharing_) sharing_->set_on_nodes([this] { share_out(); });
}

Relay::~Relay() = default;

LanePtr Relay::make_lane(const Plan& plan, const mail::Smarthost& smarthost, TlsClientPtr tls) {
  smtpc::LaneOptions options{.smarthost = smarthost,
                             .ehlo_name = plan.settings.hostname,
                             .instance_token = parts_.token,
                             .proven = smarthost.direct || proven_.is_proven(smarthost),
                             .tls = std::move(tls),
                             .keys = plan.keys,
                             .tokens = parts_.tokens,
                             .hands_over = plan.hands_over,
                             .rate = rates_.limiter(smarthost)};
  auto lane = std::make_shared<smtpc::Lane>(parts_.loop, parts_.connector, runner_, *this, std::move(options),
                                            parts_.jitter);
  if (sharing_) lane->share(sharing_->nodes());
  return lane;
}

// What the daemons of a shared spool divide among them.
void Relay::share_out() {
  rates_.set_nodes(sharing_->nodes());
  routes_.share(sharing_->nodes());
}

std::vector<LanePtr> Relay::make_lanes(const Plan& plan, config::Problems& problems) {
  std::vector<LanePtr> lanes;
  for (const mail::Smarthost& smarthost : plan.settings.smarthosts) {
    if (smarthost.direct) continue;
    auto tls = smtpc::make_tls_client(smarthost);
    if (tls)
      lanes.push_back(make_lane(plan, smarthost, std::move(*tls)));
    else
      problems.push_back({"", 0, 0, cat("smarthosts.", smarthost.name), tls.error().text});
  }
  return lanes;
}

// Lanes to domains come and go; what they share is made once.
MakeLane Relay::destination_maker(const Plan& plan, config::Problems& problems) {
  std::map<std::string, TlsClientPtr> shared;
  for (const mail::Smarthost& smarthost : plan.settings.smarthosts) {
    if (!smarthost.direct) continue;
    auto tls = smtpc::make_tls_client(smarthost);
    if (!tls) problems.push_back({"", 0, 0, cat("smarthosts.", smarthost.name), tls.error().text});
    if (tls) shared[smarthost.name] = *tls;
  }
  return [this, settings = plan.settings, keys = plan.keys, shared](const mail::Smarthost& destination) {
    LanePtr lane = make_lane({settings, keys}, destination, shared.at(destination.name));
    nursery_.spawn(run(lane));
    return lane;
  };
}

Result<void, config::Problems> Relay::configure(const config::Settings& settings, dkim::KeyRingPtr keys) {
  auto applied = apply({with_target(settings, target_), keys, target_.has_value()});
  if (applied) settings_ = settings, keys_ = std::move(keys);
  return applied;
}

// What a peer gets is not signed by us: the relay that sends it on does that.
Result<void, config::Problems> Relay::hand_over(std::optional<mail::Smarthost> target) {
  auto applied = apply({with_target(settings_, target), target ? nullptr : keys_, target.has_value()});
  if (applied || !target) target_ = std::move(target);
  return applied;
}

Result<void, config::Problems> Relay::apply(const Plan& plan) {
  const config::Settings& settings = plan.settings;
  config::Problems problems;
  auto fresh = make_lanes(plan, problems);
  auto destinations = destination_maker(plan, problems);
  if (!problems.empty()) return std::unexpected(std::move(problems));
  if (!routes_.table().has_shape_of(settings)) runner_.leave_routes();
  routes_.configure(settings, fresh, std::move(destinations));
  rates_.configure(settings.smarthosts);
  if (sharing_) sharing_->configure(settings.smarthosts);
  dialogues_.configure(settings.smarthosts);
  runner_.configure(settlement_policy(settings.queue), bounce_policy(settings));
  for (const LanePtr& lane : routes_.table().lanes()) nursery_.spawn(run(lane));
  return {};
}

Task<void> Relay::stop(Duration grace) {
  routes_.retire();
  io::Until until = parts_.loop.within(grace);
  auto drained = co_await nursery_.drained(until);
  if (drained != io::Woken::ready) {
    routes_.stop();
    co_await nursery_.drained({});
  }
  rates_.close();
  if (sharing_) co_await sharing_->stop();
  co_await runner_.stop(until);
  routes_.clear();
}

// More than the lanes take in a second, and no more than a node may hold up if its machine stalls.
std::size_t Relay::room() const {
  static constexpr std::size_t kMostDue = 2000;
  const std::size_t room =
      routes_.table().room(kMostDue, parts_.loop.now(), !routes_.destinations().trouble());
  return room - std::min(room, runner_.backlog().unsorted);
}

std::size_t Relay::retry_all() {
  runner_.retry_all();
  probe_paused();
  StatusReport status;
  runner_.report(status);
  return status.active + status.deferred;
}

void Relay::changed(const smtpc::Lane& lane) {
  routes_.update_clocks();
  if (lane.smarthost().direct) return destination_changed(lane);
  routes_.note_change(lane, runner_.backlog());
}

// A destination that cannot be used is no news for the operator: what is due for it has been tried, and comes
// again by its own schedule. What keeps mail from all of them is.
void Relay::destination_changed(const smtpc::Lane& lane) {
  if (!lane.health().is_paused()) return;
  const mail::Failure why = lane.health().pause()->why;
  if (Destinations::is_network(why))
    routes_.destinations().note_network(why, runner_.backlog());
  else
    note_reached(routes_, runner_);
  const std::string name = lane.name();
  runner_.fail_due(routes_.give_up(lane), why, name);
}

void Relay::dialled(const smtpc::Lane&, const smtpc::ConnectionAttempt& attempt) {
  parts_.log.connection(connection_line(attempt));
}

void Relay::speaks_plainly(const smtpc::Lane& lane) {
  parts_.log.warning(
      "the smarthost offers PIPELINING but fails with it; until the next reload it gets one command at a "
      "time",
      {{"smarthost", lane.name()}});
}

void Relay::session_failed(const smtpc::Lane& lane, mail::DialoguePtr dialogue) {
  dialogues_.note(lane.name(), std::move(dialogue));
}

void Relay::accepted(const smtpc::Lane& lane) {
  if (lane.smarthost().direct) return note_reached(routes_, runner_);
  if (!proven_.is_proven(lane.smarthost())) nursery_.spawn(prove(lane.smarthost()));
}

Task<void> Relay::prove(mail::Smarthost smarthost) {
  co_await proven_.note(parts_.loop, std::move(smarthost));
  if (sharing_) sharing_->look();
}

mail::SmarthostReport Relay::report(const smtpc::Lane& lane) const {
  const smtpc::Health& health = lane.health();
  mail::SmarthostReport report{.name = lane.name(),
                               .host = lane.smarthost().host,
                               .port = lane.smarthost().port,
                               .is_proven = health.is_proven(),
                               .connections = lane.connections(),
                               .trouble = rates_.used_up(lane.smarthost()),
                               .next_probe = std::nullopt};
  report.public_trouble = report.trouble;
  report.rate_used = rates_.used(lane.smarthost());
  if (lane.smarthost().oauth && parts_.tokens != nullptr) report.oauth = parts_.tokens->report(lane.name());
  if (!health.is_paused()) return report;
  WallTime now = parts_.loop.clock().wall();
  report.trouble = mail::diagnose(health.pause()->why);
  report.public_trouble = mail::public_diagnosis(health.pause()->why);
  report.since = now - (parts_.loop.now() - health.pause()->since);
  report.next_probe =
      lane.is_being_looked_at() ? now : now + (health.pause()->next_probe - parts_.loop.now());
  return report;
}

StatusReport Relay::report() const {
  StatusReport status;
  runner_.report(status);
  for (const auto& lane : routes_.table().lanes()) status.smarthosts.push_back(report(*lane));
  for (const mail::Smarthost& direct : routes_.destinations().directs()) {
    mail::SmarthostReport report = routes_.destinations().report(direct, parts_.loop.clock().wall());
    report.rate_used = rates_.used(direct);
    if (report.trouble.empty()) report.trouble = report.public_trouble = rates_.used_up(direct);
    status.smarthosts.push_back(std::move(report));
  }
  for (mail::SmarthostReport& smarthost : status.smarthosts)
    smarthost.last_failure = dialogues_.of(smarthost.name);
  if (route_state_of(status, {}).waits_for != mail::WaitsFor::nobody)
    status.deferred += std::exchange(status.active, 0);
  return status;
}

std::string Relay::status() const {
  std::string text = cat(std::to_string(runner_.queued()), " queued");
  if (const auto& trouble = routes_.destinations().trouble()) text += cat("; ", mail::diagnose(trouble->why));
  for (const auto& lane : routes_.table().lanes()) {
    const std::string used_up = rates_.used_up(lane->smarthost());
    if (lane->health().is_paused())
      text += cat("; ", mail::diagnose(lane->health().pause()->why));
    else if (!used_up.empty())
      text += cat("; ", lane->name(), ": ", used_up);
  }
  for (const mail::Smarthost& direct : routes_.destinations().directs())
    if (const std::string used_up = rates_.used_up(direct); !used_up.empty())
      text += cat("; ", direct.name, ": ", used_up);
  return text;
}

}  // namespace hikyaku::relay
