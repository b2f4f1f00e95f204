// SPDX-License-Identifier: MIT
#include "daemon/base/json.h"
#include "daemon/listing/queue_listing.h"
#include "daemon/mail/envelope.h"

namespace hikyaku::listing {
namespace {

using mail::RecipientProgress;

JsonObject state_fields(const RecipientProgress& progress) {
  return JsonObject()
      .add("status", to_text(progress.state))
      .add("last_reply", unless_empty(progress.last_reply));
}

enum class Detail { brief, full };

JsonList recipients_of(const mail::QueuedMail& mail, Detail detail) {
  JsonList all;
  for (std::size_t i = 0; i < mail.envelope.recipients.size(); ++i) {
    const mail::Recipient& recipient = mail.envelope.recipients[i];
    JsonObject one = JsonObject().add("address", recipient.address);
    one.append(state_fields(mail.progress.recipients[i]));
    if (detail == Detail::full) one.append(mail::dsn_json(recipient));
    all.add(one);
  }
  return all;
}

JsonObject fields_of(const spool::ViewedMail& viewed, const mail::MailState& state, Detail detail) {
  const mail::QueuedMail& mail = viewed.mail;
  return JsonObject()
      .add("id", mail::to_text(mail.id))
      .add("state", to_text(state.state))
      .add("waits_for", unless_empty(to_text(state.waits_for)))
      .add("waits_since", state.since)
      .add("reason", unless_empty(state.reason))
      .add("arrival_time", mail.arrival)
      .add("size", mail.size)
      .add("sender", mail.envelope.sender)
      .add("attempts", mail.progress.attempts)
      .add("next_attempt", state.next)
      .add("smarthost", unless_empty(mail.progress.smarthost))
      .add("recipients", recipients_of(mail, detail));
}

JsonObject attempt_of(const spool::PastProgress& past) {
  JsonList recipients;
  for (const RecipientProgress& recipient : past.progress.recipients) recipients.add(state_fields(recipient));
  return JsonObject()
      .add("time", past.written)
      .add("attempt", past.progress.attempts)
      .add("smarthost", unless_empty(past.progress.smarthost))
      .add("reason", unless_empty(past.progress.reason))
      .add("recipients", recipients);
}

}  // namespace

JsonObject queue_json(const spool::ViewedMail& mail, const mail::MailState& state) {
  return fields_of(mail, state, Detail::brief);
}

JsonObject full_json(const spool::ViewedMail& mail, const mail::MailState& state,
                     const std::optional<std::vector<spool::PastProgress>>& history) {
  JsonObject json = fields_of(mail, state, Detail::full);
  json.append(mail::parameters_json(mail.mail.envelope));
  if (!history) return json;
  JsonList attempts;
  for (const spool::PastProgress& past : *history) attempts.add(attempt_of(past));
  return json.add("history", attempts);
}

}  // namespace hikyaku::listing
