// SPDX-License-Identifier: MIT
#include "smtpc/health.h"

#include <algorithm>
#include <utility>

#include "daemon/mail/retry.h"

namespace hikyaku::smtpc {
namespace {

bool is_same_reason(const mail::Failure& a, const mail::Failure& b) {
  return a.kind == b.kind && a.stage == b.stage;
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

bool Health::delivered() {
  bool changed = suspicion_.has_value();
  proven_ = true;
  suspicion_.reset();
  return resume() || changed;
}

// A 5yz about one message says that the smarthost is well.
bool Health::settled(mail::MailId) { return resume(); }

bool Health::refused(const mail::Failure& why, Instant now, std::optional<mail::MailId> id) {
  bool changed = !is_paused() || !is_same_reason(pause_->why, why);
  Pause next{.why = why,
             .since = now,
             .next_probe = now,
             .probes = 1,
             .only_a_mail_proves = id.has_value(),
             .avoid = {}};
  if (is_paused()) {
    next.since = pause_->since;
    next.avoid = pause_->avoid;
    next.probes = pause_->probes + 1;  // another reason is no reason to come more often
  }
  if (id) next.avoid.push_back(*id);
  if (next.avoid.size() > 2) next.avoid.erase(next.avoid.begin());
  pause_ = std::move(next);
  schedule_probe(now);
  return changed;
}

void Health::schedule_probe(Instant now) {
  const mail::RetryPolicy& policy =
      pause_->why.stage == mail::Stage::auth ? mail::kLogInPolicy : mail::kProbePolicy;
  pause_->next_probe = now + mail::next_wait(pause_->probes, policy, jitter_());
}

void Health::probed_in_vain(Instant now) {
  if (is_paused() && pause_->next_probe <= now) schedule_probe(now);
}

// One message may be poison; two different ones in a row are the smarthost's trouble.
bool Health::aborted(const mail::Failure& why, Instant now, mail::MailId id) {
  if (is_paused()) return refused(why, now, id);
  auto before = std::exchange(last_aborted_, id);
  if (!before || *before == id) return false;
  refused(why, now, *before);
  pause_->avoid.push_back(id);
  return true;
}

bool Health::suspected(const mail::Failure& why) {
  bool changed = !suspicion_ || !is_same_reason(*suspicion_, why);
  suspicion_ = why;
  return changed;
}

unsigned Health::limit(Instant now) const {
  if (is_paused() || !proven_) return 1;  // one log-in at a time until it is known to work
  auto minutes = std::chrono::duration_cast<std::chrono::minutes>(now - slowed_at_).count();
  auto limit = std::min<std::int64_t>(connections_, slow_limit_ + minutes);
  return static_cast<unsigned>(std::max<std::int64_t>(1, limit));
}

void Health::slow_down(Instant now) {
  slow_limit_ = std::max(1U, limit(now) / 2);
  slowed_at_ = now;
}

}  // namespace hikyaku::smtpc
