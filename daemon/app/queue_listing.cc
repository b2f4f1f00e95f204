// SPDX-License-Identifier: MIT
#include "daemon/app/queue_listing.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>

#include "daemon/base/text.h"

namespace hikyaku::app {
namespace {

constexpr std::size_t kLongestReason = 300;
constexpr std::size_t kSizeWidth = 9;
constexpr std::array kStates = {QueueState::active, QueueState::deferred, QueueState::held};

bool fits(const std::string& pattern, const std::string& address) {
  std::string_view bare = pattern;
  if (bare.starts_with('<') && bare.ends_with('>')) bare = bare.substr(1, bare.size() - 2);
  return ::fnmatch(std::string(bare).c_str(), address.c_str(), FNM_CASEFOLD) == 0;
}

std::string padded(std::string text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

// Who still waits for it, before those who have it.
std::string recipients_of(const spool::ViewedMail& mail) {
  const auto& all = mail.mail.envelope.recipients;
  const auto& states = mail.mail.progress.recipients;
  auto pending = std::ranges::find(states, mail::RecipientState::pending, &mail::RecipientProgress::state);
  auto first = pending == states.end() ? 0 : static_cast<std::size_t>(pending - states.begin());
  if (all.empty()) return "nobody";
  std::string text = shown_address(all[first].address);
  return all.size() == 1 ? text : cat(text, " and ", std::to_string(all.size() - 1), " more");
}

std::string trouble_of(const spool::ViewedMail& mail) {
  const mail::Progress& progress = mail.mail.progress;
  std::string text;
  if (progress.attempts > 0) text = cat(", attempts: ", std::to_string(progress.attempts));
  if (auto next = next_attempt(mail)) text += cat(", next ", to_rfc3339(*next));
  if (!progress.reason.empty()) text += cat(": ", shown(progress.reason, kLongestReason));
  return text;
}

}  // namespace

std::string_view to_text(QueueState state) {
  switch (state) {
    case QueueState::active: return "active";
    case QueueState::deferred: return "deferred";
    case QueueState::held: return "held";
  }
  return "";
}

std::string_view to_text(mail::RecipientState state) {
  switch (state) {
    case mail::RecipientState::pending: return "pending";
    case mail::RecipientState::delivered: return "delivered";
    case mail::RecipientState::failed: return "failed";
  }
  return "";
}

std::optional<QueueState> parse_queue_state(std::string_view text) {
  for (QueueState state : kStates)
    if (text == to_text(state)) return state;
  return std::nullopt;
}

QueueState state_of(const mail::Progress& progress) {
  if (progress.held) return QueueState::held;
  return progress.attempts == 0 ? QueueState::active : QueueState::deferred;
}

std::optional<WallTime> next_attempt(const spool::ViewedMail& mail) {
  if (state_of(mail.mail.progress) != QueueState::deferred) return std::nullopt;
  return mail.written + mail.mail.progress.next_wait;
}

bool QueueFilter::matches(const spool::ViewedMail& mail) const {
  const mail::Envelope& envelope = mail.mail.envelope;
  if (state && *state != state_of(mail.mail.progress)) return false;
  if (from && !fits(*from, envelope.sender)) return false;
  auto is_asked_for = [&](const mail::Recipient& recipient) { return fits(*to, recipient.address); };
  return !to || std::ranges::any_of(envelope.recipients, is_asked_for);
}

std::string queue_line(const spool::ViewedMail& mail) {
  std::string state(to_text(state_of(mail.mail.progress)));
  state.resize(to_text(QueueState::deferred).size(), ' ');
  return cat(to_text(mail.mail.id), " ", state, " ", to_rfc3339(mail.mail.arrival), " ",
             padded(std::to_string(mail.mail.size), kSizeWidth), " ",
             shown_address(mail.mail.envelope.sender), " -> ", recipients_of(mail), trouble_of(mail));
}

std::string shown(std::string_view text, std::size_t limit) { return still_printable(text, limit); }

std::string shown_address(std::string_view address) { return cat("<", printable(address, 320), ">"); }

}  // namespace hikyaku::app
