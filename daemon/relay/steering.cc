// SPDX-License-Identifier: MIT
#include "daemon/relay/steering.h"

#include <utility>

#include "daemon/base/text.h"
#include "daemon/io/nursery.h"

namespace hikyaku::relay {
namespace {

constexpr Duration kLongestBounce = 30s;  // a notice that cannot be stored is put off long before

void refuse(Decided& answer, std::string why) {
  answer.result = Decided::Result::refused;
  answer.why = std::move(why);
}

smtpc::TransactionResult returned(const std::string& by) {
  mail::Failure why;
  why.kind = mail::FailureKind::returned_by_operator;
  why.stage = mail::Stage::message;
  why.concerns = mail::Concerns::message;
  why.detail = by;
  smtpc::TransactionResult result;
  result.rest = {why, {smtpc::Action::fail_message, why.kind}};
  return result;
}

}  // namespace

Task<std::vector<Decided>> Steering::apply(std::vector<mail::MailId> ids, Instruction order) {
  std::vector<Decided> answers;
  for (mail::MailId id : ids) answers.push_back({.id = id});
  io::Nursery nursery(loop_);
  for (Decided& answer : answers) nursery.spawn(apply_to(answer, order));
  co_await nursery.drained({});
  co_return answers;
}

// `answer` and `order` are apply()'s, which waits.
Task<void> Steering::apply_to(Decided& answer, const Instruction& order) {
  const bool is_ours = queue_.claim(answer.id);
  auto mail = co_await load(answer.id);
  const bool may_change = mail && order.may_change(mail->envelope.uid);
  if (is_ours && may_change) {
    co_await decide(answer, order, std::move(*mail));
    co_return;
  }
  if (may_change)
    answer.result = Decided::Result::under_way;
  else if (mail || mail.error().kind == mail::SourceErrorKind::unknown_mail)
    answer.result = Decided::Result::unknown;
  else
    refuse(answer, mail.error().text);
  if (is_ours) queue_.let_go(answer.id);
}

// Hundreds may be asked about at once, so each waits for its share of the memory.
Task<Result<mail::QueuedMail, mail::SourceError>> Steering::load(mail::MailId id) {
  auto room = co_await source_.make_room(id, mail::Patience::some);
  if (!room) co_return std::unexpected(room.error());
  auto mail = co_await source_.load(id);
  if (mail) mail->room = std::move(*room);
  co_return mail;
}

Task<void> Steering::decide(Decided& answer, const Instruction& order, mail::QueuedMail mail) {
  switch (order.decision) {
    case Decision::hold: co_await hold(answer, order, std::move(mail)); break;
    case Decision::release: co_await release(answer, order, std::move(mail)); break;
    case Decision::remove: co_await remove(answer, order, std::move(mail)); break;
    case Decision::bounce: co_await bounce(answer, order, std::move(mail)); co_return;
    case Decision::retry: refuse(answer, "a retry is no decision about a mail"); break;
  }
  queue_.let_go(answer.id);
}

Task<void> Steering::hold(Decided& answer, const Instruction& order, mail::QueuedMail mail) {
  if (mail.progress.held) {
    answer.result = Decided::Result::unchanged;
    co_return;
  }
  mail.progress.held = true;
  mail.progress.reason = cat("held by ", order.by);
  auto recorded = co_await source_.record(mail.id, mail.progress, mail::MayGo::no);
  if (!recorded) co_return refuse(answer, recorded.error().text);
  due_.hold(mail.id);
  tell(mail, order);
}

// What has failed is tried again: a mail from <> that was refused is held with nobody left who waits for it.
Task<void> Steering::release(Decided& answer, const Instruction& order, mail::QueuedMail mail) {
  if (!mail.progress.held) {
    answer.result = Decided::Result::unchanged;
    co_return;
  }
  mail.progress.held = false;
  mail.progress.reason.clear();
  mail.progress.next_wait = Duration{0};
  for (mail::RecipientProgress& recipient : mail.progress.recipients)
    if (recipient.state == mail::RecipientState::failed && mail.envelope.sender.empty())
      recipient.state = mail::RecipientState::pending;
  auto recorded = co_await source_.record(mail.id, mail.progress, mail::MayGo::no);
  if (!recorded) co_return refuse(answer, recorded.error().text);
  due_.release(mail.id);
  tell(mail, order);
}

Task<void> Steering::remove(Decided& answer, const Instruction& order, mail::QueuedMail mail) {
  auto finished = co_await source_.finish(mail.id);
  if (!finished) co_return refuse(answer, finished.error().text);
  due_.end(mail.id);
  tell(mail, order, IsOver::yes);
}

Task<void> Steering::bounce(Decided& answer, const Instruction& order, mail::QueuedMail mail) {
  if (mail.envelope.sender.empty())
    refuse(answer, "it is a notice without a sender to return it to: remove it instead");
  else if (mail.progress.is_settled())
    refuse(answer, "all its recipients are done with; only a notice to the sender is owed");
  if (answer.result == Decided::Result::refused) co_return queue_.let_go(mail.id);
  smtpc::Job job{.mail = std::move(mail), .recipients = {}, .content = nullptr};
  for (std::size_t i = 0; i < job.mail.progress.recipients.size(); ++i)
    if (job.mail.progress.is_pending(i)) job.recipients.push_back(i);
  auto ticket = queue_.fail(std::move(job), returned(order.by));
  const bool is_done = co_await ticket->done(loop_.within(kLongestBounce));
  auto left = co_await source_.load(answer.id);
  if (!is_done || left)
    refuse(answer,
           "the notice to its sender cannot be stored yet; the mail stays queued, or is returned as soon as "
           "it can be");
}

void Steering::tell(const mail::QueuedMail& mail, const Instruction& order, IsOver is_over) {
  log(mail, order);
  MailOutcome outcome = outcome_of(mail, mail.progress, is_over == IsOver::yes);
  outcome.written = loop_.clock().wall();
  outcome.next_attempt = *outcome.written + mail.progress.next_wait;
  queue_.note(std::move(outcome));
}

void Steering::log(const mail::QueuedMail& mail, const Instruction& order) {
  static constexpr std::string_view kEvents[] = {"held", "released", "removed"};
  log::Steered line{.event = kEvents[static_cast<std::size_t>(order.decision)],
                    .id = to_text(mail.id),
                    .from = mail.envelope.sender,
                    .to = {},
                    .by = order.by};
  for (std::size_t i = 0; i < mail.envelope.recipients.size(); ++i)
    if (mail.progress.recipients[i].state != mail::RecipientState::delivered)
      line.to.push_back(mail.envelope.recipients[i].address);
  log_.steered(line);
}

}  // namespace hikyaku::relay
