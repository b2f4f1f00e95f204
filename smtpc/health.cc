// SPDX-License-Identifier: MIT
#include "smtpc/health.h"

#include <algorithm>
#include <utility>

#include "daemon/mail/retry.h"

namespace hikyaku::smtpc {
namespace {

using mail::FailureKind;

constexpr std::size_t kMostAvoided = 64;

bool is_same_reason(const mail::Failure& a, const mail::Failure& b) {
  return a.kind == b.kind && a.stage == b.stage;
}

// Failures that a restarting smarthost, or the network in front of it, causes; no mistake of the
// configuration.
bool is_outage(const mail::Failure& why) {
  switch (why.kind) {
    case FailureKind::lookup_failed:
    case FailureKind::refused:
    case FailureKind::connect_timed_out:
    case FailureKind::unreachable:
    case FailureKind::greeting_timed_out:
    case FailureKind::closed_early:
    case FailureKind::timed_out:
    case FailureKind::reply_lost: return true;
    case FailureKind::smarthost_refuses: return why.reply && why.reply->is_transient();
    default: return false;
  }
}

// So few mails may all be poison, even if the replies are alike.
bool are_few(const std::vector<mail::MailId>& mails) { return mails.size() < Evidence::kCertain; }

const mail::RetryPolicy& policy_of(const Pause& pause) {
  if (pause.by_evidence && are_few(pause.avoid)) return mail::kProbePolicy;
  if (pause.why.kind == FailureKind::account_quota) return mail::kQuotaPolicy;
  if (pause.why.stage != mail::Stage::auth) return mail::kProbePolicy;
  return pause.why.kind == FailureKind::auth_temporary ? mail::kBusyLogInPolicy : mail::kLogInPolicy;
}

}  // namespace

Health::Health(unsigned connections, bool proven, Jitter jitter)
    : connections_(connections), proven_(proven), jitter_(std::move(jitter)), slow_limit_(connections) {}

bool Health::resume() {
  bool changed = pause_.has_value();
  pause_.reset();
  last_aborted_.reset();
  return changed;
}

bool Health::opened() { return is_paused() && !pause_->only_a_mail_proves && resume(); }

bool Health::delivered(mail::MailId id, Instant now) {
  bool changed = suspicion_.has_value();
  if (is_paused() && pause_->by_evidence) evidence_.refuted(now);
  evidence_.accepted(id);
  proven_ = was_up_ = true;
  suspicion_.reset();
  return resume() || changed;
}

// A 5yz about one message says that the smarthost is well.
bool Health::settled() {
  was_up_ = true;
  last_aborted_.reset();
  return is_paused() && !pause_->by_evidence && resume();
}

void Health::begin(const mail::Failure& why, Instant now) {
  bool was_up = std::exchange(was_up_, false);
  pause_ =
      Pause{.why = why, .since = now, .next_probe = now, .was_up = was_up && is_outage(why), .avoid = {}};
}

void Health::step(Instant now, bool hopes_for_fresh) {
  ++pause_->probes;  // another reason does not make the probes more frequent
  ++round_;
  pause_->next_for_fresh = hopes_for_fresh ? now + mail::kFreshMailWait : kNever;
  schedule_probe(now);
}

void Health::schedule_probe(Instant now) {
  const bool has_first_look = pause_->was_up || pause_->by_evidence;
  const unsigned looks = pause_->probes - (has_first_look ? 1 : 0);
  if (looks > 0)
    pause_->next_probe = now + mail::next_wait(looks, policy_of(*pause_), jitter_());
  else if (pause_->by_evidence)
    pause_->next_probe = now + mail::kFreshMailWait;
  else
    pause_->next_probe = now + mail::next_wait(1, mail::kRestartPolicy, jitter_());
}

void Health::avoid(mail::MailId id) {
  std::erase(pause_->avoid, id);
  pause_->avoid.push_back(id);
  if (pause_->avoid.size() > kMostAvoided) pause_->avoid.erase(pause_->avoid.begin());
}

bool Health::refused(const mail::Failure& why, Instant now, unsigned round, std::optional<mail::MailId> id) {
  if (id && is_paused()) avoid(*id);
  if (is_stale(round)) return false;
  bool changed = !is_paused() || !is_same_reason(pause_->why, why);
  if (!is_paused()) begin(why, now);
  pause_->why = why;
  pause_->only_a_mail_proves = id.has_value();
  pause_->by_evidence = false;
  if (id) avoid(*id);
  step(now, false);
  return changed;
}

// One message may be poison; if two different ones in a row break off, the smarthost is in trouble.
bool Health::aborted(const mail::Failure& why, Instant now, unsigned round, mail::MailId id) {
  if (is_paused()) return refused(why, now, round, id);
  auto before = std::exchange(last_aborted_, id);
  if (!before || *before == id) return false;
  refused(why, now, round, *before);
  avoid(id);
  return true;
}

// During a pause the abort only shows that this mail cannot end the pause.
Health::Weighed Health::weigh(const mail::Failure& why, Instant now, unsigned round, Witness witness) {
  const mail::MailId id = witness.id;
  const Finding finding = evidence_.weigh(std::move(witness), now);
  if (finding == Finding::mail) return {finding, false};
  if (is_paused()) {
    avoid(id);
    if (!is_stale(round)) step(now, are_few(pause_->avoid));
    return {Finding::undecided, false};
  }
  if (finding == Finding::undecided) return {finding, false};
  begin(why, now);
  pause_->only_a_mail_proves = pause_->by_evidence = true;
  for (const Witness& each : evidence_.witnesses()) avoid(each.id);
  step(now, are_few(pause_->avoid));
  return {finding, true};
}

void Health::ended(unsigned round, Instant now) {
  if (!is_paused() || round != round_) return;
  step(now, pause_->only_a_mail_proves);
}

bool Health::postpone_probe(Instant until) {
  if (!is_paused() || pause_->next_probe >= until) return false;
  pause_->next_probe = until;
  return true;
}

bool Health::suspected(const mail::Failure& why) {
  bool changed = !suspicion_ || !is_same_reason(*suspicion_, why);
  suspicion_ = why;
  return changed;
}

unsigned Health::limit(Instant now) const {
  if (is_paused() || !proven_) return 1;  // one log-in at a time until one has worked
  auto minutes = std::chrono::duration_cast<std::chrono::minutes>(now - slowed_at_).count();
  auto limit = std::min<std::int64_t>(connections_, slow_limit_ + minutes);
  return static_cast<unsigned>(std::max<std::int64_t>(1, limit));
}

void Health::slow_down(Instant now) {
  slow_limit_ = std::max(1U, limit(now) / 2);
  slowed_at_ = now;
}

}  // namespace hikyaku::smtpc
