// SPDX-License-Identifier: MIT
#include "daemon/base/text.h"
#include "daemon/listing/queue_listing.h"

namespace hikyaku::listing {
namespace {

using mail::RecipientProgress;
using mail::RecipientState;

std::string row(std::string name, std::string_view value) {
  constexpr std::size_t kWidth = 14;
  name.resize(kWidth, ' ');
  return value.empty() ? std::string() : cat("  ", name, value, "\n");
}

std::string parameters_of(const mail::Envelope& envelope) {
  std::vector<std::string> words;
  if (envelope.body == mail::Body::seven_bit) words.emplace_back("BODY=7BIT");
  if (envelope.body == mail::Body::eight_bit_mime) words.emplace_back("BODY=8BITMIME");
  if (envelope.smtputf8) words.emplace_back("SMTPUTF8");
  if (envelope.ret != mail::Ret::absent)
    words.emplace_back(envelope.ret == mail::Ret::full ? "RET=FULL" : "RET=HDRS");
  if (!envelope.envid.empty()) words.push_back(cat("ENVID=", printable(envelope.envid)));
  return join(words, " ");
}

std::string parameters_of(const mail::Recipient& recipient) {
  std::string text = recipient.notify.is_absent() ? "" : cat(" NOTIFY=", mail::to_text(recipient.notify));
  return recipient.orcpt.empty() ? text : cat(text, " ORCPT=", printable(recipient.orcpt));
}

std::string recipient_rows(const mail::QueuedMail& mail) {
  std::string text;
  for (std::size_t i = 0; i < mail.envelope.recipients.size(); ++i) {
    const RecipientProgress& progress = mail.progress.recipients[i];
    const mail::Recipient& recipient = mail.envelope.recipients[i];
    text += cat("  ", shown_address(recipient.address), " ", to_text(progress.state),
                parameters_of(recipient), "\n");
    if (!progress.last_reply.empty()) text += cat("      ", shown(progress.last_reply), "\n");
  }
  return text;
}

// The recipients that the attempt was for: all that were still pending before it.
std::string reply_rows(const mail::Envelope& envelope, const mail::Progress& now,
                       const mail::Progress* before) {
  std::string text;
  for (std::size_t i = 0; i < now.recipients.size() && i < envelope.recipients.size(); ++i) {
    bool was_settled = before != nullptr && i < before->recipients.size() &&
                       before->recipients[i].state != RecipientState::pending;
    if (was_settled || now.recipients[i].last_reply.empty()) continue;
    text += cat("      ", shown_address(envelope.recipients[i].address), " ",
                to_text(now.recipients[i].state), ": ", shown(now.recipients[i].last_reply), "\n");
  }
  return text;
}

std::string attempt_rows(const mail::Envelope& envelope, const std::vector<spool::PastProgress>& attempts) {
  std::string text;
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    const mail::Progress& progress = attempts[i].progress;
    std::string via = progress.smarthost.empty() ? "" : cat(" via ", shown(progress.smarthost));
    std::string why = progress.reason.empty() ? "" : cat(": ", shown(progress.reason));
    text += cat("  ", to_rfc3339(attempts[i].written), " attempt ", std::to_string(progress.attempts), via,
                why, "\n", reply_rows(envelope, progress, i == 0 ? nullptr : &attempts[i - 1].progress));
  }
  return text;
}

// A notice of ours came from nobody; so did other mail from <>, perhaps.
std::string submitter_of(const mail::Envelope& envelope) {
  if (envelope.uid) return cat("uid ", std::to_string(*envelope.uid));
  return envelope.sender.empty() ? "" : "a client over TCP";
}

std::string waits_for(const mail::MailState& state) {
  if (state.state == mail::QueueState::held)
    return "the operator: `hikyaku queue release`, `remove` or `bounce`";
  if (state.waits_for == mail::WaitsFor::nobody) return "a free connection: it is due";
  if (state.waits_for == mail::WaitsFor::time) return "its retry time";
  return cat(state.waits_for == mail::WaitsFor::node ? "a " : "the ",
             state.waits_for == mail::WaitsFor::rate ? "smarthost's rate limit" : to_text(state.waits_for),
             state.since ? cat(" since ", to_rfc3339(*state.since)) : "");
}

std::string node_of(const spool::ViewedMail& viewed) {
  if (!viewed.holder) return "";
  const mail::Holder& holder = *viewed.holder;
  if (holder.is_free()) return "nobody has it: whichever node has room takes it when it is due";
  if (!holder.away_since) return printable(holder.node);
  return cat(
      printable(holder.node), ", which has not been heard of since ", to_rfc3339(*holder.away_since),
      holder.free_at ? cat("; the others have the mail from ", to_rfc3339(*holder.free_at), " on") : "");
}

std::string summary_rows(const spool::ViewedMail& viewed, const mail::MailState& state) {
  const mail::QueuedMail& mail = viewed.mail;
  return row("from", shown_address(mail.envelope.sender)) + row("submitted by", submitter_of(mail.envelope)) +
         row("parameters", parameters_of(mail.envelope)) + row("arrived", to_rfc3339(mail.arrival)) +
         row("size", cat(std::to_string(mail.size), " bytes")) +
         row("attempts", std::to_string(mail.progress.attempts)) + row("node", node_of(viewed)) +
         row("waits for", waits_for(state)) + row("next attempt", state.next ? to_rfc3339(*state.next) : "") +
         row("smarthost", shown(mail.progress.smarthost)) + row("why", shown(state.reason));
}

}  // namespace

// States are also recorded for a delivery to some of the recipients and for an operator's action; those do
// not raise the number of attempts.
std::vector<spool::PastProgress> attempts_in(std::vector<spool::PastProgress> history) {
  std::uint32_t last = 0;
  std::erase_if(history, [&](const spool::PastProgress& past) {
    if (past.progress.attempts <= last) return true;
    last = past.progress.attempts;
    return false;
  });
  return history;
}

std::string queue_details(const spool::ViewedMail& mail, const mail::MailState& state,
                          const std::vector<spool::PastProgress>& attempts) {
  std::string text = cat(to_text(mail.mail.id), " ", mail::to_word(state.state), "\n",
                         summary_rows(mail, state), "recipients\n", recipient_rows(mail.mail));
  if (attempts.empty()) return text;
  return cat(text, "attempts still in the spool's log\n", attempt_rows(mail.mail.envelope, attempts));
}

}  // namespace hikyaku::listing
