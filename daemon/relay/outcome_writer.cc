// SPDX-License-Identifier: MIT
#include "daemon/relay/outcome_writer.h"

#include <algorithm>
#include <utility>

#include "daemon/relay/log_lines.h"

namespace hikyaku::relay {
namespace {

constexpr Duration kStorageRetry = 5s;

// What is known of a failure that an earlier attempt has brought.
mail::Failure remembered(const mail::RecipientProgress& progress) {
  mail::Failure failure;
  failure.kind = mail::FailureKind::recipient_refused;
  failure.stage = mail::Stage::rcpt;
  failure.concerns = mail::Concerns::recipient;
  failure.reply = mail::parse_reply(progress.last_reply + "\r\n");
  return failure;
}

std::vector<mail::ReportedRecipient> all_failed(const mail::QueuedMail& mail, const Settlement& settlement) {
  std::vector<mail::ReportedRecipient> failed;
  const auto& now = settlement.progress.recipients;
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (now[i].state != mail::RecipientState::failed) continue;
    auto tried = std::ranges::find(settlement.recipients, i, &SettledRecipient::recipient);
    const bool is_new = tried != settlement.recipients.end() && tried->failure.has_value();
    failed.push_back({mail.envelope.recipients[i], is_new ? *tried->failure : remembered(now[i])});
  }
  return failed;
}

// Somebody has been told of the failures of a mail from <>.
void end_reported(Settlement& settlement) {
  settlement.progress.held = false;
  settlement.progress.reason.clear();
  settlement.is_over = settlement.is_notified = true;
}

bool has_delivered(const Settlement& settlement) {
  return std::ranges::any_of(settlement.recipients, [](const SettledRecipient& settled) {
    return settled.outcome == RecipientOutcome::delivered;
  });
}

}  // namespace

OutcomeWriter::OutcomeWriter(QueueParts parts, Routes& routes, OnFinished on_finished)
    : loop_(parts.loop),
      source_(parts.source),
      log_(parts.log),
      jitter_(std::move(parts.jitter)),
      dialogues_(parts.dialogues),
      routes_(routes),
      on_finished_(std::move(on_finished)),
      bouncer_(parts.loop, parts.source, parts.sink),
      outcomes_(parts.loop),
      changed_(parts.loop),
      nursery_(parts.loop) {}

void OutcomeWriter::configure(SettlementPolicy policy, BouncePolicy bounces) {
  policy_ = policy;
  bouncer_.configure(std::move(bounces));
}

smtpc::TicketPtr OutcomeWriter::settle(smtpc::Job job, const smtpc::TransactionResult& result,
                                       const smtpc::UsedConnection& used, Terms terms) {
  Settlement settlement = relay::settle(job.mail, job.recipients, result, used.smarthost, policy_, jitter_());
  settlement.progress.waited = terms.waited;
  settlement.may_go = terms.may_go;
  if (job.mail.progress.owes_notice())
    add_owed_notice(settlement, job.mail, routes_.host_of(job.mail.progress.smarthost));
  const WallTime now = loop_.clock().wall();
  for (const log::Outcome& line : outcome_lines(job.mail, settlement, used, now)) log_.outcome(line);
  if (has_delivered(settlement)) last_delivery_ = now;
  dialogues_.note(job.mail.id, used.dialogue);
  auto ticket = std::make_shared<smtpc::Ticket>(loop_);
  nursery_.spawn(write_down(std::move(job.mail), std::move(settlement), ticket));
  return ticket;
}

void OutcomeWriter::settle_owed_notice(mail::QueuedMail mail) {
  Settlement settlement = relay::settle_owed_notice(mail, routes_.host_of(mail.progress.smarthost));
  nursery_.spawn(write_down(std::move(mail), std::move(settlement), std::make_shared<smtpc::Ticket>(loop_)));
}

std::vector<mail::MailId> OutcomeWriter::take_short_of_storage() {
  const auto taken = std::exchange(short_of_storage_, {});
  return {taken.begin(), taken.end()};
}

Task<void> OutcomeWriter::stop(io::Until until) {
  io::Woken woken = io::Woken::ready;
  while (writing_ > 0 && woken == io::Woken::ready) woken = co_await changed_.wait(until);
  cancel_.request();
  co_await nursery_.drained({});
}

Task<void> OutcomeWriter::write_down(mail::QueuedMail mail, Settlement settlement, smtpc::TicketPtr ticket) {
  ++writing_;
  bool written = true;
  if (settlement.counts) written = co_await write_steps(mail, settlement);
  if (written) {
    ticket->set_done();
    on_finished_(mail.id, settlement);
    note(mail, settlement);
  }
  --writing_;
  changed_.notify();
}

// False: the daemon is stopping.
Task<bool> OutcomeWriter::write_steps(const mail::QueuedMail& mail, Settlement& settlement) {
  bool written = true;
  const bool has_notices = !settlement.failed.empty() || !settlement.relayed.empty();
  if (has_delivered(settlement) && has_notices) written = co_await save_deliveries(mail, settlement);
  if (settlement.is_gone) co_return written;
  if (written && !settlement.relayed.empty()) written = co_await send_success_notice(mail, settlement);
  if (written) written = co_await send_notices(mail, settlement);
  if (written) written = co_await report_without_sender(mail, settlement);
  if (written) written = co_await save_settled(mail.id, settlement);
  co_return written;
}

// A smarthost's trouble is not this mail's: the mail stays as it was, and the lane tells why it waits.
void OutcomeWriter::note(const mail::QueuedMail& mail, const Settlement& settlement) {
  const mail::Progress& now = settlement.counts ? settlement.progress : mail.progress;
  MailOutcome outcome = outcome_of(mail, now, settlement.is_over);
  outcome.written = loop_.clock().wall();
  outcome.next_attempt = *outcome.written + (settlement.counts ? now.next_wait : Duration(0));
  outcomes_.note(std::move(outcome));
}

// Those who have the mail must not get it again, however long the notices take.
Task<bool> OutcomeWriter::save_deliveries(const mail::QueuedMail& mail, Settlement& settlement) {
  Settlement so_far;
  mail::Progress& progress = so_far.progress = mail.progress;
  progress.smarthost = settlement.progress.smarthost;
  for (const SettledRecipient& settled : settlement.recipients)
    if (settled.outcome == RecipientOutcome::delivered)
      progress.recipients[settled.recipient] = settlement.progress.recipients[settled.recipient];
  auto saved = co_await save(mail.id, so_far);
  settlement.is_gone = so_far.is_gone;
  co_return saved;
}

// ---- notices

// The delivery is on record, and that its sender is owed a notice: a crash from here on repeats the notice at
// worst, never the mail. While there is no room for the notice this mail alone waits. False: the daemon is
// stopping.
Task<bool> OutcomeWriter::send_success_notice(const mail::QueuedMail& mail, Settlement& settlement) {
  auto sent = co_await send_notice(mail, mail::NoticeKind::relayed, settlement.relayed);
  if (!sent && sent.error().kind == mail::SinkErrorKind::shutting_down) co_return false;
  if (sent) {
    set_success_notified(settlement);
    co_return true;
  }
  log_.warning("the notice of a mail's delivery cannot be stored; the mail stays queued until it can",
               {{"id", to_text(mail.id)}, {"reason", sent.error().text}});
  put_off_success(settlement, sent.error().text, policy_, jitter_());
  short_of_storage_.insert(mail.id);
  co_return true;
}

// A notice that cannot be stored holds up its own mail only: the failure or delay it reports has not happened
// yet. False: the daemon is stopping, and the original stays as it was.
Task<bool> OutcomeWriter::send_notices(const mail::QueuedMail& mail, Settlement& settlement) {
  for (mail::NoticeKind kind : {mail::NoticeKind::failure, mail::NoticeKind::delay}) {
    auto& recipients = kind == mail::NoticeKind::failure ? settlement.failed : settlement.delayed;
    if (recipients.empty()) continue;
    auto sent = co_await send_notice(mail, kind, recipients);
    if (!sent && sent.error().kind == mail::SinkErrorKind::shutting_down) co_return false;
    if (!sent) {
      log_.warning("the notice to a mail's sender cannot be stored; the mail waits and is tried again",
                   {{"id", to_text(mail.id)}, {"reason", sent.error().text}});
      put_off_notices(settlement, mail.progress, sent.error().text, policy_, jitter_());
      short_of_storage_.insert(mail.id);
      co_return true;
    }
    settlement.is_notified = true;
    recipients.clear();
  }
  co_return true;
}

Task<Result<void, mail::SinkError>> OutcomeWriter::send_notice(
    const mail::QueuedMail& mail, mail::NoticeKind kind, std::vector<mail::ReportedRecipient> recipients) {
  std::optional<mail::MailId> copy;
  if (kind == mail::NoticeKind::failure) {
    auto copied = co_await send_postmaster_notice(mail, recipients);
    if (!copied) co_return std::unexpected(std::move(copied.error()));
    copy = *copied;
  }
  std::size_t count = recipients.size();
  auto notice = co_await bouncer_.notice(mail, kind, std::move(recipients));
  if (!notice && copy) bouncer_.withdraw(*copy);
  if (!notice) co_return std::unexpected(std::move(notice.error()));
  log_.bounce({.id = to_text(*notice),
               .about = to_text(mail.id),
               .to = mail.envelope.sender,
               .kind = std::string(to_text(kind)),
               .recipients = count});
  co_return {};
}

// Before the notice itself: if that cannot be stored, or a crash comes between, it is the postmaster who hears twice.
Task<Result<std::optional<mail::MailId>, mail::SinkError>> OutcomeWriter::send_postmaster_notice(
    const mail::QueuedMail& mail, std::vector<mail::ReportedRecipient> recipients) {
  std::size_t count = recipients.size();
  auto notice = co_await bouncer_.postmaster_notice(mail, std::move(recipients));
  if (!notice) co_return std::unexpected(std::move(notice.error()));
  if (*notice)
    log_.bounce({.id = to_text(**notice),
                 .about = to_text(mail.id),
                 .to = bouncer_.policy().postmaster,
                 .kind = "postmaster",
                 .recipients = count});
  co_return *notice;
}

// A failed mail from <> is held for the operator, unless the postmaster can be told: then it has ended. If the report
// cannot be stored, the mail stays held. False: the daemon is stopping.
Task<bool> OutcomeWriter::report_without_sender(const mail::QueuedMail& mail, Settlement& settlement) {
  const bool is_held = settlement.progress.held && settlement.progress.is_settled();
  const bool has_postmaster = !bouncer_.policy().postmaster.empty();
  if (!mail.envelope.sender.empty() || !is_held || !has_postmaster) co_return true;
  auto sent = co_await report_failed(mail, settlement);
  if (!sent && sent.error().kind == mail::SinkErrorKind::shutting_down) co_return false;
  if (sent)
    end_reported(settlement);
  else
    log_.warning("the postmaster's notice of a failed mail from <> cannot be stored; the mail is held",
                 {{"id", to_text(mail.id)}, {"reason", sent.error().text}});
  co_return true;
}

// A notice to the postmaster that fails ends without another.
Task<Result<void, mail::SinkError>> OutcomeWriter::report_failed(const mail::QueuedMail& mail,
                                                                 const Settlement& settlement) {
  auto failed = all_failed(mail, settlement);
  std::erase_if(failed, [this](const mail::ReportedRecipient& one) {
    return is_for_postmaster(bouncer_.policy(), one.recipient);
  });
  if (failed.empty()) {
    log_.warning(
        "a notice to the postmaster cannot be delivered and is dropped: see `queue.bounce.postmaster`",
        {{"id", to_text(mail.id)}});
    co_return {};
  }
  auto sent = co_await send_postmaster_notice(mail, std::move(failed));
  if (!sent) co_return std::unexpected(std::move(sent.error()));
  co_return {};
}

// ---- the new state

// Where nobody has got the mail or a notice, a crash undoes the attempt without harm: if its outcome cannot
// be written the mail alone waits, as if it had not been tried.
Task<bool> OutcomeWriter::save_settled(mail::MailId id, Settlement& settlement) {
  bool must_be_kept = settlement.is_over || settlement.is_notified || has_delivered(settlement);
  if (must_be_kept) {
    auto saved = co_await save(id, settlement);
    co_return saved;
  }
  auto saved = co_await try_to_save(id, settlement);
  if (!saved) settlement.counts = false;
  co_return true;
}

Task<bool> OutcomeWriter::save(mail::MailId id, Settlement& settlement) {
  for (;;) {
    auto saved = co_await try_to_save(id, settlement);
    if (saved) co_return true;
    auto again = co_await wait_for_storage(saved.error().text);
    if (!again) co_return false;
  }
}

// A mail that is not queued here any more has nothing that could be saved.
Task<Result<void, mail::SourceError>> OutcomeWriter::try_to_save(mail::MailId id, Settlement& settlement) {
  Result<mail::Recorded, mail::SourceError> saved;
  if (settlement.is_over) {
    auto finished = co_await source_.finish(id);
    if (!finished) saved = std::unexpected(std::move(finished.error()));
  } else {
    saved = co_await source_.record(id, settlement.progress, settlement.may_go);
  }
  const bool is_lost = !saved && saved.error().kind == mail::SourceErrorKind::unknown_mail;
  if (is_lost && settlement.is_notified)
    log_.warning(
        "the mail has become another node's before its outcome was stored; so its notice was not sent",
        {{"id", to_text(id)}});
  settlement.is_gone = is_lost || (saved && *saved == mail::Recorded::given_back);
  if (!saved && !is_lost) co_return std::unexpected(std::move(saved.error()));
  co_return {};
}

// Whether to try again; false: the daemon is stopping.
Task<bool> OutcomeWriter::wait_for_storage(std::string reason) {
  if (unwritten_++ == 0)
    log_.error("the outcome of a mail cannot be stored; no more mail is sent until it can",
               {{"reason", reason}});
  auto woken = co_await io::sleep_until(loop_, loop_.within(kStorageRetry, &cancel_));
  --unwritten_;
  routes_.wake();
  co_return woken == io::Woken::timeout;
}

}  // namespace hikyaku::relay
