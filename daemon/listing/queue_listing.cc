// SPDX-License-Identifier: MIT
#include "daemon/listing/queue_listing.h"

#include <algorithm>
#include <ctime>

#include "daemon/base/columns.h"
#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/mail/envelope.h"

namespace hikyaku::listing {
namespace {

constexpr std::size_t kLongestReason = 300;
constexpr std::size_t kSizeColumn = 9;
constexpr std::size_t kStateWidth = 7;
constexpr std::size_t kNodeWidth = 8;

// Only on a shared spool.
std::string node_column(const spool::ViewedMail& mail) {
  return mail.holder ? cat(" ", left_aligned(node_name(*mail.holder), kNodeWidth)) : "";
}

// Shows a pending recipient rather than one that is settled.
std::string recipients_of(const spool::ViewedMail& mail) {
  const auto& all = mail.mail.envelope.recipients;
  const auto& states = mail.mail.progress.recipients;
  auto pending = std::ranges::find(states, mail::RecipientState::pending, &mail::RecipientProgress::state);
  auto first = pending == states.end() ? 0 : static_cast<std::size_t>(pending - states.begin());
  if (all.empty()) return "nobody";
  std::string text = shown_address(all[first].address);
  return all.size() == 1 ? text : cat(text, " and ", std::to_string(all.size() - 1), " more");
}

std::string trouble_of(const spool::ViewedMail& mail, const mail::MailState& state) {
  std::string text;
  std::uint32_t attempts = mail.mail.progress.attempts;
  if (attempts > 0) text = cat(", attempts: ", std::to_string(attempts));
  std::string waiting = waiting_text(state);
  if (!waiting.empty()) return cat(text, ", ", waiting);
  return state.reason.empty() ? text : cat(text, ": ", shown(state.reason, kLongestReason));
}

std::string what_for(mail::WaitsFor what) {
  switch (what) {
    case mail::WaitsFor::smarthost: return "for the smarthost";
    case mail::WaitsFor::rate: return "for its turn (rate limit)";
    case mail::WaitsFor::node: return "for a node";
    default: return "";
  }
}

using mail::RecipientProgress;

JsonObject state_fields(const RecipientProgress& progress) {
  return JsonObject()
      .add("status", to_text(progress.state))
      .add("last_reply", unless_empty(progress.last_reply));
}

enum class Detail { brief, full };

JsonList recipients_json(const mail::QueuedMail& mail, Detail detail) {
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
  JsonObject json = JsonObject().add("id", mail::to_text(mail.id)).add("state", to_text(state.state));
  if (viewed.holder) json.add("node", unless_empty(viewed.holder->node));
  return json.add("waits_for", unless_empty(to_text(state.waits_for)))
      .add("waits_since", state.since)
      .add("reason", unless_empty(state.reason))
      .add("arrival_time", mail.arrival)
      .add("size", mail.size)
      .add("sender", mail.envelope.sender)
      .add("attempts", mail.progress.attempts)
      .add("next_attempt", state.next)
      .add("smarthost", unless_empty(mail.progress.smarthost))
      .add("recipients", recipients_json(mail, detail));
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

mail::Standing standing_of(const spool::ViewedMail& mail) {
  const mail::Progress& progress = mail.mail.progress;
  return {.is_held = progress.held,
          .attempts = progress.attempts,
          .next_attempt = mail.written + progress.next_wait,
          .written = mail.written,
          .reason = progress.reason,
          .holder = mail.holder ? &*mail.holder : nullptr};
}

mail::MailState state_of(const spool::ViewedMail& mail, const mail::RouteState& route, bool is_operator) {
  return state_of(standing_of(mail), route, is_operator);
}

std::string_view to_text(mail::RecipientState state) {
  switch (state) {
    case mail::RecipientState::pending: return "pending";
    case mail::RecipientState::delivered: return "delivered";
    case mail::RecipientState::failed: return "failed";
  }
  return "";
}

std::string waiting_text(const mail::MailState& state) {
  if (state.waits_for == mail::WaitsFor::nobody) return "";
  std::vector<std::string> parts;
  std::string what = what_for(state.waits_for);
  if (state.since) what += cat(" since ", to_rfc3339(*state.since));
  if (!what.empty()) parts.push_back(what);
  if (state.next) parts.push_back(cat("next ", to_rfc3339(*state.next)));
  std::string text = join(parts, ", ");
  if (state.reason.empty()) return text;
  // A reason that holds up all mail is shown in full, because it says what to do.
  std::size_t limit = state.waits_for == mail::WaitsFor::time ? kLongestReason : std::size_t{4096};
  return cat(text, text.empty() ? "" : ": ", shown(state.reason, limit));
}

std::string queue_line(const spool::ViewedMail& mail, const mail::MailState& state) {
  return cat(to_text(mail.mail.id), " ", left_aligned(std::string(mail::to_word(state.state)), kStateWidth),
             node_column(mail), " ", to_rfc3339(mail.mail.arrival), " ",
             right_aligned(std::to_string(mail.mail.size), kSizeColumn), " ",
             shown_address(mail.mail.envelope.sender), " -> ", recipients_of(mail), trouble_of(mail, state));
}

std::string node_name(const mail::Holder& holder) {
  return holder.is_free() ? "-" : printable(holder.node, 64);
}

std::string local_time(WallTime time, const char* format) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(time));
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, format, &parts)};
}

std::string shown(std::string_view text, std::size_t limit) { return still_printable(text, limit); }

std::string shown_address(std::string_view address) { return cat("<", printable(address, 320), ">"); }

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
