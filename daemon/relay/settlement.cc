// SPDX-License-Identifier: MIT
#include "daemon/relay/settlement.h"

#include <algorithm>

#include "daemon/base/error.h"
#include "daemon/base/text.h"
#include "daemon/mail/diagnosis.h"

namespace hikyaku::relay {
namespace {

using mail::RecipientState;
using smtpc::Action;

// The host that took a mail and its reply, in the form that notices need.
mail::Failure taken_by(std::string host, std::optional<mail::Reply> reply) {
  mail::Failure taken;
  taken.host = std::move(host);
  taken.reply = std::move(reply);
  return taken;
}

class Settling {
 public:
  Settling(const mail::QueuedMail& mail, const smtpc::TransactionResult& result,
           const SettlementPolicy& policy)
      : mail_(mail), result_(result), policy_(policy) {
    settled_.progress = mail.progress;
    settled_.counts = false;
  }

  void weigh(std::size_t recipient) {
    const smtpc::Refusal* refusal = result_.refusal_of(recipient);
    if (refusal == nullptr) return deliver(recipient);
    settled_.counts = settled_.counts || refusal->verdict.action != Action::pause_lane;
    if (is_final(*refusal))
      give_up(recipient, refusal->failure);
    else
      defer(recipient, refusal->failure);
  }

  void schedule(double fraction) {
    mail::Progress& progress = settled_.progress;
    if (settled_.counts) ++progress.attempts;
    bool waits = !progress.is_settled();
    progress.next_wait =
        waits && settled_.counts ? mail::next_wait(progress.attempts, policy_.retry, fraction) : Duration{0};
    bool is_late = mail::is_delay_notice_due(progress.waited, policy_.delay_notice, progress.delay_noticed);
    if (waits && settled_.counts && is_late) announce_delay();
  }

  Settlement take() {
    mail::Progress& progress = settled_.progress;
    if (progress.is_settled()) progress.held = must_be_held();
    settled_.is_over = progress.is_settled() && !progress.held;
    drop_unwanted_reports();
    return std::move(settled_);
  }

 private:
  // A permanent refusal of this mail is final at once; a temporary one when the mail's lifetime is over.
  // Trouble of the smarthost is never final, however long it lasts, nor is what may be its trouble
  // (weigh_evidence). A recipient's own server that cannot be reached is that recipient's trouble.
  bool is_final(const smtpc::Refusal& refusal) const {
    Action action = refusal.verdict.action;
    if (action == Action::fail_message || action == Action::fail_recipient) return true;
    bool is_about_this_mail = action == Action::defer_message || action == Action::defer_unproven ||
                              action == Action::defer_recipient;
    bool was_refused = refusal.failure.reply.has_value() && is_about_this_mail;
    bool is_out_of_reach = refusal.failure.is_direct && action != Action::weigh_evidence;
    return (was_refused || is_out_of_reach) && mail::has_expired(mail_.progress.waited, policy_.lifetime);
  }

  mail::RecipientProgress& state(std::size_t recipient) { return settled_.progress.recipients[recipient]; }

  void deliver(std::size_t recipient) {
    state(recipient) = {RecipientState::delivered,
                        result_.final_reply ? mail::to_text(*result_.final_reply) : ""};
    settled_.counts = true;
    settled_.recipients.push_back({recipient, RecipientOutcome::delivered, {}, result_.final_reply});
    if (result_.taken_without_dsn) announce_relay(recipient);
  }

  void defer(std::size_t recipient, const mail::Failure& failure) {
    state(recipient).last_reply = words(failure);
    settled_.progress.reason = mail::diagnose(failure);
    settled_.recipients.push_back({recipient, RecipientOutcome::deferred, failure, {}});
  }

  void give_up(std::size_t recipient, const mail::Failure& failure) {
    state(recipient) = {RecipientState::failed, words(failure)};
    settled_.recipients.push_back({recipient, RecipientOutcome::failed, failure, {}});
    settled_.failed.push_back({mail_.envelope.recipients[recipient], failure});
  }

  static std::string words(const mail::Failure& failure) {
    return failure.reply ? mail::to_text(*failure.reply) : mail::diagnose(failure);
  }

  void announce_delay() {
    for (const SettledRecipient& settled : settled_.recipients) {
      if (settled.outcome != RecipientOutcome::deferred) continue;
      const mail::Recipient& recipient = mail_.envelope.recipients[settled.recipient];
      settled_.delayed.push_back({recipient, *settled.failure});
      // The one notice is for those that the sender may hear of: the recipient of `copy_to` is not among them.
      settled_.progress.delay_noticed |= !recipient.notify.never;
    }
  }

  void announce_relay(std::size_t recipient) {
    if (mail::recipients_to_report(mail_.envelope, {recipient}, mail::NoticeKind::relayed).empty()) return;
    state(recipient).owes_notice = true;
    settled_.relayed.push_back(
        {mail_.envelope.recipients[recipient], taken_by(*result_.taken_without_dsn, result_.final_reply)});
  }

  // A failed message from <>, in this attempt or before, has no sender to notify: it waits for the operator.
  bool must_be_held() const {
    return mail_.envelope.sender.empty() &&
           std::ranges::count(settled_.progress.recipients, RecipientState::failed,
                              &mail::RecipientProgress::state) > 0;
  }

  void drop_unwanted_reports() {
    drop_unwanted(settled_.failed, mail::NoticeKind::failure);
    drop_unwanted(settled_.delayed, mail::NoticeKind::delay);
    if (settled_.progress.held)
      settled_.progress.reason = "a message from <> was refused, and there is no sender to notify";
  }

  void drop_unwanted(std::vector<mail::ReportedRecipient>& reports, mail::NoticeKind kind) const {
    std::erase_if(reports, [&](const mail::ReportedRecipient& report) {
      auto at = std::ranges::find(mail_.envelope.recipients, report.recipient);
      auto place = static_cast<std::size_t>(at - mail_.envelope.recipients.begin());
      return mail::recipients_to_report(mail_.envelope, {place}, kind).empty();
    });
  }

  const mail::QueuedMail& mail_;
  const smtpc::TransactionResult& result_;
  const SettlementPolicy& policy_;
  Settlement settled_;
};

}  // namespace

SettlementPolicy settlement_policy(const config::QueueSettings& queue) {
  return {
      .lifetime = queue.lifetime,
      .delay_notice = queue.delay_notice,
      .retry = {
          .first = queue.retry.first, .factor = queue.retry.factor, .max = queue.retry.max, .spread = 0.2}};
}

Settlement settle(const mail::QueuedMail& mail, const std::vector<std::size_t>& tried,
                  const smtpc::TransactionResult& result, const std::string& smarthost,
                  const SettlementPolicy& policy, double fraction) {
  Settling settling(mail, result, policy);
  for (std::size_t recipient : tried) settling.weigh(recipient);
  settling.schedule(fraction);
  Settlement settled = settling.take();
  settled.progress.smarthost = smarthost;
  return settled;
}

void add_owed_notice(Settlement& settled, const mail::QueuedMail& mail, const std::string& host) {
  for (std::size_t i = 0; i < mail.progress.recipients.size(); ++i) {
    const mail::RecipientProgress& before = mail.progress.recipients[i];
    if (!before.owes_notice) continue;
    settled.relayed.push_back(
        {mail.envelope.recipients[i], taken_by(host, mail::parse_reply(before.last_reply + "\r\n"))});
  }
}

Settlement settle_owed_notice(const mail::QueuedMail& mail, const std::string& host) {
  Settlement settled;
  settled.progress = mail.progress;
  settled.progress.next_wait = Duration{0};
  ++settled.progress.attempts;
  settled.is_over = true;
  add_owed_notice(settled, mail, host);
  return settled;
}

void set_success_notified(Settlement& settled) {
  for (mail::RecipientProgress& recipient : settled.progress.recipients) recipient.owes_notice = false;
  settled.is_notified = true;
  settled.relayed.clear();
}

void put_off_success(Settlement& settled, const std::string& why, const SettlementPolicy& policy,
                     double fraction) {
  mail::Progress& progress = settled.progress;
  settled.relayed.clear();
  settled.is_over = false;
  if (!progress.is_settled()) return;  // pending recipients have their own reason
  progress.reason = cat("delivered, but the notice to the sender cannot be stored yet: ", why);
  progress.next_wait = mail::next_wait(progress.attempts, policy.retry, fraction);
}

void put_off_notices(Settlement& settled, const mail::Progress& before, const std::string& why,
                     const SettlementPolicy& policy, double fraction) {
  mail::Progress& progress = settled.progress;
  progress.delay_noticed = before.delay_noticed;
  for (const SettledRecipient& tried : settled.recipients)
    if (tried.outcome == RecipientOutcome::failed && !settled.failed.empty())
      progress.recipients[tried.recipient].state = RecipientState::pending;
  if (!settled.failed.empty()) {
    progress.reason = cat("refused, but the notice to the sender cannot be stored yet: ", why);
    progress.next_wait = mail::next_wait(progress.attempts, policy.retry, fraction);
    settled.is_over = false;
  }
  settled.failed.clear();
  settled.delayed.clear();
}

}  // namespace hikyaku::relay
