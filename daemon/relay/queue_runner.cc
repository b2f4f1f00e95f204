// SPDX-License-Identifier: MIT
#include "daemon/relay/queue_runner.h"

#include <algorithm>
#include <utility>

#include "daemon/mail/retry.h"

namespace hikyaku::relay {
namespace {

constexpr Duration kReadRetry = 1min;
constexpr Duration kBetweenPortions = 1ms;  // of what becomes due at once: the loop serves others meanwhile

}  // namespace

QueueRunner::QueueRunner(QueueParts parts, Route& route)
    : loop_(parts.loop),
      source_(parts.source),
      log_(parts.log),
      route_(route),
      writer_(std::move(parts), route,
              [this](mail::MailId id, const Settlement& settlement) { requeue(id, settlement); }),
      changed_(loop_),
      nursery_(loop_) {
  nursery_.spawn(keep_time());
}

QueueRunner::~QueueRunner() = default;

void QueueRunner::adopt(const std::vector<mail::QueueEntry>& entries, Duration downtime) {
  for (const mail::QueueEntry& found : entries) {
    Entry entry{found.id, -downtime};
    if (found.held)
      ++held_;
    else if (found.next_wait > downtime)
      postpone(entry, found.next_wait - downtime);
    else
      schedule_.add_due(entry);
  }
  route_.wake();
}

void QueueRunner::arrived(const mail::QueueEntry& entry) {
  route_.update_clock();
  schedule_.add_due({entry.id, route_.time()});
  route_.wake();
}

void QueueRunner::configure(SettlementPolicy policy, BouncePolicy bounces) {
  writer_.configure(policy, std::move(bounces));
  if (configuration_++ > 0) release_all();
  release_due();
  route_.wake();
  changed_.notify();
}

void QueueRunner::release_all() {
  schedule_.release_all();
  released_ = loop_.clock().wall();
}

void QueueRunner::retry_all() {
  release_all();
  changed_.notify();
}

void QueueRunner::retry(const std::vector<mail::MailId>& ids) {
  schedule_.retry(ids);
  changed_.notify();
}

void QueueRunner::storage_is_back() { retry(writer_.take_short_of_storage()); }

Task<void> QueueRunner::stop(io::Until until) {
  stopping_ = true;
  co_await writer_.stop(until);
  cancel_.request();
  co_await nursery_.drained({});
}

Backlog QueueRunner::backlog() const {
  Backlog backlog{.queued = queued()};
  if (auto first = schedule_.first_due()) backlog.oldest = route_.time() - first->since;
  return backlog;
}

void QueueRunner::report(StatusReport& status) const {
  status.deferred = schedule_.waiting();
  status.held = held_;
  status.active = queued() - status.deferred - status.held;
  status.last_delivery = writer_.last_delivery();
  status.failed = writer_.outcomes().failed();
  status.released = released_;
}

// ---- time

Task<void> QueueRunner::keep_time() {
  while (!cancel_.is_requested()) {
    co_await changed_.wait({next_look(), &cancel_});
    route_.update_clock();
    release_due();
    route_.remind(backlog());
  }
}

Instant QueueRunner::next_look() const {
  Instant now = loop_.now();
  Instant soonest = std::max(schedule_.next_release(), now + kBetweenPortions);
  return std::min(soonest, now + mail::kWaitStep);
}

void QueueRunner::release_due() {
  if (schedule_.release(loop_.now())) route_.wake();
}

void QueueRunner::postpone(Entry entry, Duration wait) {
  Instant until = loop_.now() + wait;
  bool is_first = until < schedule_.next_release();
  schedule_.postpone(entry, until);
  if (is_first) changed_.notify();
}

// ---- to the lanes

std::size_t QueueRunner::waiting(const smtpc::Lane& lane) const {
  return hands_out() && route_.is_turn_of(lane) ? schedule_.due() : 0;
}

bool QueueRunner::has_fresh(const smtpc::Lane& lane, const std::vector<mail::MailId>& avoid) const {
  return hands_out() && !lane.is_retired() && route_.is_paused() && schedule_.has_other(avoid);
}

Task<std::optional<smtpc::Job>> QueueRunner::take(const smtpc::Lane& lane, smtpc::Preference preference) {
  while (waiting(lane) > 0) {
    Entry entry = *schedule_.pop(preference.avoid, preference.newest);
    route_.update_clock();
    const UnderWay under_way{entry, route_.time(), configuration_};
    check(under_way_.emplace(entry.id, under_way).second, "a mail that is under way was due");
    auto job = co_await load(under_way, preference.patience);
    if (job && !job->recipients.empty()) co_return std::move(*job);
    if (job) {
      writer_.settle_owed_notice(std::move(job->mail));
      continue;
    }
    end_attempt(entry.id);
    bool is_short = job.error().kind == mail::SourceErrorKind::no_memory;
    if (is_short) schedule_.add_due_first(entry);
    if (is_short) co_return std::nullopt;
    set_aside(entry, job.error());
  }
  co_return std::nullopt;
}

// The job has no recipients if only the notice to the sender is left to do. `under_way` outlives the task.
Task<Result<smtpc::Job, mail::SourceError>> QueueRunner::load(const UnderWay& under_way,
                                                              mail::Patience patience) {
  const Entry& entry = under_way.entry;
  auto room = co_await source_.make_room(entry.id, patience);
  if (!room) co_return std::unexpected(room.error());
  auto mail = co_await source_.load(entry.id);
  if (!mail) co_return std::unexpected(mail.error());
  mail->room = std::move(*room);
  auto content = source_.open(entry.id);
  if (!content) co_return std::unexpected(content.error());
  smtpc::Job job{.mail = std::move(*mail), .recipients = {}, .content = std::move(*content)};
  job.mail.progress.waited += under_way.taken - entry.since;
  for (std::size_t i = 0; i < job.mail.progress.recipients.size(); ++i)
    if (job.mail.progress.recipients[i].state == mail::RecipientState::pending) job.recipients.push_back(i);
  if (job.recipients.empty() && !job.mail.progress.owes_notice())
    co_return fail(mail::SourceErrorKind::damaged, "the mail is queued without a pending recipient");
  co_return job;
}

void QueueRunner::set_aside(Entry entry, const mail::SourceError& error) {
  if (error.kind == mail::SourceErrorKind::unknown_mail) return;
  bool is_damaged = error.kind == mail::SourceErrorKind::damaged;
  log_.error(is_damaged ? "a queued mail is damaged and will not be sent"
                        : "a queued mail cannot be read; it will be tried again",
             {{"id", to_text(entry.id)}, {"reason", error.text}});
  if (is_damaged)
    ++held_;
  else
    postpone(entry, kReadRetry);
}

// ---- and back

smtpc::TicketPtr QueueRunner::settle(smtpc::Job job, smtpc::TransactionResult result,
                                     smtpc::UsedConnection used) {
  return writer_.settle(std::move(job), result, used);
}

void QueueRunner::put_back(smtpc::Job job) {
  schedule_.add_due_first(end_attempt(job.mail.id).entry);
  route_.wake();
}

QueueRunner::UnderWay QueueRunner::end_attempt(mail::MailId id) {
  auto found = under_way_.find(id);
  check(found != under_way_.end(), "a mail comes back that was not under way");
  const UnderWay under_way = found->second;
  under_way_.erase(found);
  return under_way;
}

// What failed with the configuration of before a reload is tried again with the new one at once. The time
// keeper looks too: the mail may have used up the rate, and the route's time stands still until that is over.
void QueueRunner::requeue(mail::MailId id, const Settlement& settlement) {
  const UnderWay was = end_attempt(id);
  changed_.notify();
  if (settlement.is_over) return;
  Entry entry = settlement.counts ? Entry{id, was.taken} : was.entry;
  bool is_corrected = was.configuration != configuration_;
  if (settlement.progress.held)
    ++held_;
  else if (settlement.progress.next_wait > Duration{0} && !is_corrected)
    postpone(entry, settlement.progress.next_wait);
  else
    schedule_.add_due(entry);
  route_.wake();
}

}  // namespace hikyaku::relay
