// SPDX-License-Identifier: MIT
#include "daemon/listing/queue_json.h"

#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/listing/queue_listing.h"

namespace hikyaku::listing {
namespace {

using mail::RecipientProgress;

std::string text_or_null(std::string_view text) { return text.empty() ? "null" : json_string(text); }
std::string quoted(std::string_view ours) { return cat("\"", ours, "\""); }
std::string quoted(WallTime time) { return quoted(to_rfc3339(time)); }

std::string list(const std::vector<std::string>& parts) { return cat("[", join(parts, ","), "]"); }

std::string notify_of(const mail::Notify& notify) {
  std::vector<std::string> words;
  if (notify.never) words.emplace_back("\"never\"");
  if (notify.success) words.emplace_back("\"success\"");
  if (notify.failure) words.emplace_back("\"failure\"");
  if (notify.delay) words.emplace_back("\"delay\"");
  return list(words);
}

std::string state_fields(const RecipientProgress& progress) {
  return cat("\"status\":", quoted(to_text(progress.state)),
             ",\"last_reply\":", text_or_null(progress.last_reply));
}

enum class Detail { brief, full };

std::string recipient_of(const mail::Recipient& recipient, const RecipientProgress& progress, Detail detail) {
  std::string more = detail == Detail::brief ? ""
                                             : cat(",\"notify\":", notify_of(recipient.notify),
                                                   ",\"orcpt\":", text_or_null(recipient.orcpt));
  return cat("{\"address\":", json_string(recipient.address), ",", state_fields(progress), more, "}");
}

std::string recipients_of(const mail::QueuedMail& mail, Detail detail) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < mail.envelope.recipients.size(); ++i)
    all.push_back(recipient_of(mail.envelope.recipients[i], mail.progress.recipients[i], detail));
  return list(all);
}

std::string time_or_null(const std::optional<WallTime>& time) { return time ? quoted(*time) : "null"; }

std::string fields_of(const spool::ViewedMail& viewed, const mail::MailState& state, Detail detail) {
  const mail::QueuedMail& mail = viewed.mail;
  return cat("\"id\":", quoted(mail::to_text(mail.id)), ",\"state\":", quoted(to_text(state.state)),
             ",\"waits_for\":", text_or_null(to_text(state.waits_for)),
             ",\"waits_since\":", time_or_null(state.since), ",\"reason\":", text_or_null(state.reason),
             ",\"arrival_time\":", quoted(mail.arrival), ",\"size\":", std::to_string(mail.size),
             ",\"sender\":", json_string(mail.envelope.sender),
             ",\"attempts\":", std::to_string(mail.progress.attempts),
             ",\"next_attempt\":", time_or_null(state.next),
             ",\"smarthost\":", text_or_null(mail.progress.smarthost),
             ",\"recipients\":", recipients_of(mail, detail));
}

std::string_view ret_of(mail::Ret ret) {
  return ret == mail::Ret::absent ? "null" : ret == mail::Ret::full ? "\"full\"" : "\"headers\"";
}

std::string_view body_of(mail::Body body) {
  return body == mail::Body::absent ? "null" : body == mail::Body::seven_bit ? "\"7BIT\"" : "\"8BITMIME\"";
}

std::string parameters_of(const mail::Envelope& envelope) {
  return cat("\"ret\":", ret_of(envelope.ret), ",\"envid\":", text_or_null(envelope.envid),
             ",\"body\":", body_of(envelope.body), ",\"smtputf8\":", envelope.smtputf8 ? "true" : "false",
             ",\"uid\":", envelope.uid ? std::to_string(*envelope.uid) : "null");
}

std::string attempt_of(const spool::PastProgress& past) {
  std::vector<std::string> recipients;
  for (const RecipientProgress& recipient : past.progress.recipients)
    recipients.push_back(cat("{", state_fields(recipient), "}"));
  return cat("{\"time\":", quoted(past.written), ",\"attempt\":", std::to_string(past.progress.attempts),
             ",\"smarthost\":", text_or_null(past.progress.smarthost),
             ",\"reason\":", text_or_null(past.progress.reason), ",\"recipients\":", list(recipients), "}");
}

}  // namespace

std::string queue_json(const spool::ViewedMail& mail, const mail::MailState& state) {
  return cat("{", fields_of(mail, state, Detail::brief), "}");
}

std::string full_json(const spool::ViewedMail& mail, const mail::MailState& state,
                      const std::optional<std::vector<spool::PastProgress>>& history) {
  std::string text = cat("{", fields_of(mail, state, Detail::full), ",", parameters_of(mail.mail.envelope));
  if (!history) return text + '}';
  std::vector<std::string> attempts;
  for (const spool::PastProgress& past : *history) attempts.push_back(attempt_of(past));
  return cat(text, ",\"history\":", list(attempts), "}");
}

}  // namespace hikyaku::listing
