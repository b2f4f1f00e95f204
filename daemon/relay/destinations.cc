// SPDX-License-Identifier: MIT
#include "daemon/relay/destinations.h"

#include <algorithm>

#include "daemon/base/text.h"
#include "daemon/mail/diagnosis.h"

namespace hikyaku::relay {

void Destinations::configure(std::vector<mail::Smarthost> directs, MakeLane make_lane) {
  for (const auto& [key, lane] : lanes_) lane->retire();
  lanes_.clear();
  resting_.clear();
  trouble_.reset();
  directs_ = std::move(directs);
  make_lane_ = std::move(make_lane);
}

const mail::Smarthost* Destinations::find(const std::string& smarthost) const {
  auto found = std::ranges::find_if(
      directs_, [&](const mail::Smarthost& direct) { return equals_ignoring_case(direct.name, smarthost); });
  return found == directs_.end() ? nullptr : &*found;
}

LanePtr Destinations::lane(const std::string& smarthost, const std::string& domain) {
  const Key key{to_lower(smarthost), domain};
  auto found = lanes_.find(key);
  if (found != lanes_.end()) return found->second;
  const mail::Smarthost* direct = find(smarthost);
  if (direct == nullptr || !has_room() || rest(smarthost, domain) > Duration{0}) return nullptr;
  mail::Smarthost destination = *direct;
  destination.host = domain;
  return lanes_[key] = make_lane_(destination);
}

Duration Destinations::rest(const std::string& smarthost, const std::string& domain) const {
  auto found = resting_.find({to_lower(smarthost), domain});
  if (found == resting_.end()) return Duration{0};
  return std::max(found->second - loop_.now(), Duration{0});
}

LanePtr Destinations::retire(const smtpc::Lane& lane, bool rests) {
  auto found = std::ranges::find_if(lanes_, [&](const auto& each) { return each.second.get() == &lane; });
  if (found == lanes_.end()) return nullptr;
  LanePtr retired = found->second;
  retired->retire();
  if (resting_.size() >= kMostResting)
    std::erase_if(resting_, [this](const auto& each) { return each.second <= loop_.now(); });
  if (rests && resting_.size() < kMostResting) resting_[found->first] = loop_.now() + kRest;
  lanes_.erase(found);
  return retired;
}

std::vector<LanePtr> Destinations::lanes() const {
  std::vector<LanePtr> lanes;
  for (const auto& [key, lane] : lanes_) lanes.push_back(lane);
  return lanes;
}

// ---- all of them

bool Destinations::is_network(const mail::Failure& why) {
  return why.kind == mail::FailureKind::dns_unreachable || why.kind == mail::FailureKind::port_blocked;
}

void Destinations::note_network(const mail::Failure& why, const Backlog& backlog) {
  const bool is_known = trouble_ && trouble_->why.kind == why.kind;
  trouble_ = Trouble{why, trouble_ ? trouble_->since : loop_.now()};
  if (!is_known) log_state(false, backlog);
}

void Destinations::note_reached(const Backlog& backlog) {
  if (!trouble_) return;
  trouble_.reset();
  log_state(true, backlog);
}

void Destinations::remind(const Backlog& backlog) {
  if (trouble_) log_state(false, backlog);
}

void Destinations::log_state(bool is_up, const Backlog& backlog) {
  if (directs_.empty()) return;
  log::SmarthostChange change;
  change.smarthost = directs_.front().name;
  change.port = directs_.front().port;
  change.up = is_up;
  if (trouble_) change.diagnosis = mail::diagnose(trouble_->why);
  if (trouble_) change.next_probe = kNetworkWait;
  if (trouble_) change.since = trouble_->since;
  change.at = loop_.now();
  change.waiting = backlog.queued;
  change.oldest = backlog.oldest;
  log_.smarthost(change);
}

mail::SmarthostReport Destinations::report(const mail::Smarthost& direct, WallTime now) const {
  mail::SmarthostReport report{.name = direct.name,
                               .host = "",
                               .port = direct.port,
                               .is_proven = true,
                               .connections = 0,
                               .trouble = "",
                               .next_probe = std::nullopt};
  for (const auto& [key, lane] : lanes_)
    if (key.first == to_lower(direct.name)) report.connections += lane->connections();
  if (!trouble_) return report;
  report.trouble = mail::diagnose(trouble_->why);
  report.public_trouble = mail::public_diagnosis(trouble_->why);
  report.since = now - (loop_.now() - trouble_->since);
  report.next_probe = now;
  return report;
}

}  // namespace hikyaku::relay
