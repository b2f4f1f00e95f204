// SPDX-License-Identifier: MIT
// The queue runner's other half: what became of an attempt is logged, told to the sender and written down, in
// this order of durability: who has got the mail is on stable storage before anything else is tried, with the
// mark that the sender is still to be told where he asked for that; the notice of a failure or a delay is
// there before the state of those it is about is submitted.
#include <algorithm>
#include <utility>

#include "daemon/mail/diagnosis.h"
#include "daemon/relay/queue_runner.h"

namespace hikyaku::relay {
namespace {

constexpr Duration kStorageRetry = 5s;

bool is_worth_writing(const Settlement& settlement) { return settlement.counts; }

bool any(const Settlement& settlement, RecipientOutcome outcome) {
  return std::ranges::any_of(settlement.recipients,
                             [&](const SettledRecipient& r) { return r.outcome == outcome; });
}

log::Status status_of(RecipientOutcome outcome) {
  return outcome == RecipientOutcome::delivered  ? log::Status::delivered
         : outcome == RecipientOutcome::deferred ? log::Status::deferred
                                                 : log::Status::failed;
}

std::string joined(const mail::Reply& reply) {
  std::string text = std::to_string(reply.code);
  for (const std::string& line : reply.lines) text += (&line == &reply.lines.front() ? " " : "\n") + line;
  return text;
}

std::string dsn_of(const SettledRecipient& settled) {
  if (settled.failure)
    return to_text(mail::status_of(*settled.failure, settled.outcome == RecipientOutcome::failed));
  bool has_own = settled.final_reply && settled.final_reply->status;
  return has_own ? to_text(*settled.final_reply->status) : "2.0.0";
}

}  // namespace

smtpc::TicketPtr QueueRunner::settle(smtpc::Job job, smtpc::TransactionResult result, smtpc::Way way) {
  Settlement settlement = relay::settle(job.mail, job.recipients, result, way.smarthost, policy_, jitter_());
  if (job.mail.progress.owes_notice())
    add_owed_notice(settlement, job.mail, host_of(job.mail.progress.smarthost));
  auto ticket = std::make_shared<smtpc::Ticket>(loop_);
  log_outcomes(job.mail, settlement, way);
  if (any(settlement, RecipientOutcome::delivered)) last_delivery_ = loop_.clock().wall();
  nursery_.spawn(write_down(std::move(job.mail), std::move(settlement), ticket));
  return ticket;
}

Task<void> QueueRunner::write_down(mail::QueuedMail mail, Settlement settlement, smtpc::TicketPtr ticket) {
  ++writing_;
  bool written = true;
  if (is_worth_writing(settlement)) {
    bool has_notices = !settlement.failed.empty() || !settlement.relayed.empty();
    bool two_steps = any(settlement, RecipientOutcome::delivered) && has_notices;
    if (two_steps) written = co_await save_deliveries(mail, settlement);
    if (written && !settlement.relayed.empty()) written = co_await tell_success(mail, settlement);
    if (written) written = co_await send_notices(mail, settlement);
    if (written) written = co_await save_settled(mail.id, settlement);
  }
  if (written) {
    ticket->set_done();
    requeue(mail.id, settlement);
    note(mail, settlement);
  }
  --writing_;
  changed_.notify();
}

// A smarthost's trouble is not this mail's: it stays as it was, and why it waits is told by the lane.
void QueueRunner::note(const mail::QueuedMail& mail, const Settlement& settlement) {
  const mail::Progress& now = is_worth_writing(settlement) ? settlement.progress : mail.progress;
  MailOutcome outcome = outcome_of(mail, now, settlement.is_over);
  outcome.written = loop_.clock().wall();
  outcome.next_attempt = *outcome.written + (is_worth_writing(settlement) ? now.next_wait : Duration(0));
  outcomes_.note(std::move(outcome));
}

// A crash, or a disk without room, came between a delivery and the notice of it: only that is left to do.
void QueueRunner::tell_later(mail::QueuedMail mail) {
  Settlement settlement = settle_owed_notice(mail, host_of(mail.progress.smarthost));
  nursery_.spawn(write_down(std::move(mail), std::move(settlement), std::make_shared<smtpc::Ticket>(loop_)));
}

// Empty if the route has no smarthost of this name any more.
std::string QueueRunner::host_of(const std::string& smarthost) const {
  auto lane = std::ranges::find(lanes_, smarthost, [](const auto& each) { return each->name(); });
  return lane == lanes_.end() ? "" : (*lane)->smarthost().host;
}

// Those who have it must not get it again, however long the notices take.
Task<bool> QueueRunner::save_deliveries(const mail::QueuedMail& mail, const Settlement& settlement) {
  mail::Progress progress = mail.progress;
  progress.smarthost = settlement.progress.smarthost;
  for (const SettledRecipient& settled : settlement.recipients)
    if (settled.outcome == RecipientOutcome::delivered)
      progress.recipients[settled.recipient] = settlement.progress.recipients[settled.recipient];
  auto saved = co_await save(mail.id, std::move(progress), false);
  co_return saved;
}

// That they have the mail is on record, and that its sender is to be told: a crash from here on repeats the
// notice at worst, never the mail. While there is no room for the notice this mail alone waits. False: we are
// stopping.
Task<bool> QueueRunner::tell_success(const mail::QueuedMail& mail, Settlement& settlement) {
  auto sent = co_await send_notice(mail, mail::NoticeKind::relayed, settlement.relayed);
  if (!sent && sent.error().kind == mail::SinkErrorKind::shutting_down) co_return false;
  if (sent) {
    set_success_told(settlement);
    co_return true;
  }
  log_.warning("the notice of a mail's delivery cannot be stored; the mail stays queued until it can",
               {{"id", to_text(mail.id)}, {"reason", sent.error().text}});
  put_off_success(settlement, sent.error().text, policy_, jitter_());
  untold_.insert(mail.id);
  co_return true;
}

// A notice that cannot be stored holds up its own mail only: what it was to tell has not happened yet. False:
// we are stopping, and the original stays as it was.
Task<bool> QueueRunner::send_notices(const mail::QueuedMail& mail, Settlement& settlement) {
  for (mail::NoticeKind kind : {mail::NoticeKind::failure, mail::NoticeKind::delay}) {
    auto& recipients = kind == mail::NoticeKind::failure ? settlement.failed : settlement.delayed;
    if (recipients.empty()) continue;
    auto sent = co_await send_notice(mail, kind, recipients);
    if (!sent && sent.error().kind == mail::SinkErrorKind::shutting_down) co_return false;
    if (!sent) {
      put_off(mail, settlement, sent.error().text);
      co_return true;
    }
    settlement.is_told = true;
    recipients.clear();
  }
  co_return true;
}

void QueueRunner::put_off(const mail::QueuedMail& mail, Settlement& settlement, const std::string& why) {
  log_.warning("the notice to a mail's sender cannot be stored; the mail waits and is tried again",
               {{"id", to_text(mail.id)}, {"reason", why}});
  put_off_notices(settlement, mail.progress, why, policy_, jitter_());
  untold_.insert(mail.id);
}

void QueueRunner::storage_is_back() {
  retry({untold_.begin(), untold_.end()});
  untold_.clear();
}

Task<Result<void, mail::SinkError>> QueueRunner::send_notice(
    const mail::QueuedMail& mail, mail::NoticeKind kind, std::vector<mail::ReportedRecipient> recipients) {
  std::size_t count = recipients.size();
  auto notice = co_await bouncer_.notice(mail, kind, std::move(recipients));
  if (!notice) co_return std::unexpected(std::move(notice.error()));
  log_.bounce({.id = to_text(*notice),
               .about = to_text(mail.id),
               .to = mail.envelope.sender,
               .kind = std::string(to_text(kind)),
               .recipients = count});
  co_return {};
}

// Where nobody has got or been told anything, a crash undoes the attempt without harm: if its outcome cannot
// be written the mail alone waits, as if it had not been tried.
Task<bool> QueueRunner::save_settled(mail::MailId id, Settlement& settlement) {
  bool must_be_kept =
      settlement.is_over || settlement.is_told || any(settlement, RecipientOutcome::delivered);
  if (must_be_kept) {
    auto saved = co_await save(id, settlement.progress, settlement.is_over);
    co_return saved;
  }
  auto recorded = co_await source_.record(id, settlement.progress);
  bool is_lost = !recorded && recorded.error().kind != mail::SourceErrorKind::unknown_mail;
  if (is_lost) settlement.counts = false;
  co_return true;
}

Task<bool> QueueRunner::save(mail::MailId id, mail::Progress progress, bool is_over) {
  for (;;) {
    Result<void, mail::SourceError> saved;
    if (is_over)
      saved = co_await source_.finish(id);
    else
      saved = co_await source_.record(id, progress);
    if (saved || saved.error().kind == mail::SourceErrorKind::unknown_mail) co_return true;
    auto again = co_await wait_for_storage(saved.error().text);
    if (!again) co_return false;
  }
}

// Until then no lane takes new mail: an outcome in memory alone is one that a crash would undo.
Task<bool> QueueRunner::wait_for_storage(std::string what) {
  if (unwritten_++ == 0)
    log_.error("what became of a mail cannot be written down; no more is sent until it can",
               {{"reason", what}});
  auto woken = co_await io::sleep_until(loop_, loop_.within(kStorageRetry, &cancel_));
  --unwritten_;
  wake_lanes();
  co_return woken == io::Woken::timeout;
}

void QueueRunner::requeue(mail::MailId id, const Settlement& settlement) {
  UnderWay was = under_way_[id];
  under_way_.erase(id);
  if (settlement.is_over) return;
  Entry entry = is_worth_writing(settlement) ? Entry{id, was.taken} : was.entry;
  // What failed with the configuration of before a reload is tried again with the new one at once.
  bool is_corrected = was.configuration != configuration_;
  if (settlement.progress.held)
    ++held_;
  else if (settlement.progress.next_wait > Duration{0} && !is_corrected)
    postpone(entry, settlement.progress.next_wait);
  else
    schedule_.add_due(entry);
  wake_lanes();
}

// A smarthost's trouble is one line about the smarthost, not one for each mail that waits for it.
void QueueRunner::log_outcomes(const mail::QueuedMail& mail, const Settlement& settlement,
                               const smtpc::Way& way) {
  if (!is_worth_writing(settlement)) return;
  for (const SettledRecipient& settled : settlement.recipients) {
    log::Outcome line;
    line.id = to_text(mail.id);
    line.from = mail.envelope.sender;
    line.to = mail.envelope.recipients[settled.recipient].address;
    line.smarthost = way.smarthost;
    line.address = way.address;
    if (way.tls) line.tls = log::TlsInfo{way.tls->version, way.tls->cipher, way.tls->verdict};
    line.delay = loop_.clock().wall() - mail.arrival;
    line.status = status_of(settled.outcome);
    line.dsn = dsn_of(settled);
    if (settled.final_reply) line.reply = joined(*settled.final_reply);
    if (settled.failure && settled.failure->reply) line.reply = joined(*settled.failure->reply);
    if (settled.failure) line.diagnosis = mail::diagnose(*settled.failure);
    log_.outcome(line);
  }
}

// The smarthost takes mail, but has refused some that it would hardly have refused from the right account.
void QueueRunner::log_suspicion(const std::string& name, const mail::Failure& why) {
  log_.warning(mail::diagnose(why), {{"smarthost", name}});
}

void QueueRunner::speaks_plainly(const smtpc::Lane& lane) {
  log_.warning(
      "the smarthost offers PIPELINING and cannot bear it; until the next reload it gets one command at a "
      "time",
      {{"smarthost", lane.name()}});
}

void QueueRunner::log_state(const smtpc::Lane& lane) {
  const smtpc::Health& health = lane.health();
  if (!health.is_paused() && health.suspicion()) return log_suspicion(lane.name(), *health.suspicion());
  const mail::Failure* why = health.is_paused() ? &health.pause()->why : nullptr;
  log::SmarthostChange line;
  line.smarthost = lane.name();
  line.host = lane.smarthost().host;
  line.port = lane.smarthost().port;
  line.up = why == nullptr;
  if (why != nullptr) line.diagnosis = mail::diagnose(*why);
  if (why != nullptr && why->reply) line.reply = joined(*why->reply);
  if (health.is_paused()) line.next_probe = health.pause()->next_probe - loop_.now();
  line.waiting = queued();
  if (auto first = schedule_.first_due()) line.oldest = route_clock_.time() - first->since;
  log_.smarthost(line);
}

}  // namespace hikyaku::relay
