// SPDX-License-Identifier: MIT
#include "daemon/listing/postfix_listing.h"

#include <algorithm>

#include "daemon/base/columns.h"
#include "daemon/base/text.h"
#include "daemon/listing/queue_listing.h"

namespace hikyaku::listing {
namespace {

constexpr std::string_view kHeading =
    "----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------\n";
constexpr std::size_t kIdWidth = 17;
constexpr std::size_t kSizeWidth = 8;
constexpr std::size_t kTimeWidth = 19;
constexpr std::size_t kReasonWidth = 76;
constexpr std::size_t kLongestAddress = 320;
constexpr std::size_t kMostFailures = 10;  // that are shown

constexpr const char* kTimeForm = "%a %b %e %H:%M:%S";  // as asctime(3) has it

std::string_view mark_of(mail::QueueState state) {
  switch (state) {
    case mail::QueueState::active: return "*";
    case mail::QueueState::deferred: return "";
    case mail::QueueState::held: return "!";
  }
  return "";
}

std::string address(std::string_view address) { return printable(address, kLongestAddress); }

std::string first_line(const spool::ViewedMail& viewed, mail::QueueState state) {
  const mail::QueuedMail& mail = viewed.mail;
  const std::string& sender = mail.envelope.sender;
  return cat(left_aligned(cat(to_text(mail.id), mark_of(state)), kIdWidth), " ",
             right_aligned(std::to_string(mail.size), kSizeWidth), " ",
             right_aligned(local_time(mail.arrival, kTimeForm), kTimeWidth), " ",
             sender.empty() ? "MAILER-DAEMON" : address(sender), "\n");
}

// Pending recipients are shown; all of them if none is pending.
bool is_shown(const mail::Progress& progress, std::size_t recipient) {
  return progress.is_settled() || progress.recipients[recipient].state == mail::RecipientState::pending;
}

// A reason that holds up all mail takes precedence over this mail's last reply.
std::string reason_of(const mail::Progress& progress, const mail::MailState& state, std::size_t recipient) {
  bool waits_for_others =
      state.waits_for != mail::WaitsFor::nobody && state.waits_for != mail::WaitsFor::time;
  const std::string& reply = progress.recipients[recipient].last_reply;
  if (!waits_for_others) return shown(reply.empty() ? state.reason : reply);
  std::string since = state.since ? cat("waits since ", local_time(*state.since, kTimeForm), ", ") : "";
  std::string next = state.next ? cat("next attempt ", local_time(*state.next, kTimeForm), ": ") : "";
  return cat(since, next, shown(state.reason));
}

std::string reason_line(std::string_view reason) {
  std::string_view text = reason.empty() ? "reason unavailable" : reason;
  return cat(std::string(kReasonWidth - std::min(kReasonWidth, text.size()), ' '), "(", text, ")\n");
}

// A reason is printed once, before all consecutive recipients that share it.
std::string recipient_lines(const mail::QueuedMail& mail, const mail::MailState& state) {
  constexpr std::size_t kIndent = kIdWidth + kSizeWidth + kTimeWidth + 3;
  std::string text;
  std::string last;
  for (std::size_t i = 0; i < mail.envelope.recipients.size(); ++i) {
    if (!is_shown(mail.progress, i)) continue;
    std::string reason = reason_of(mail.progress, state, i);
    if (reason != last) text += reason_line(reason);
    last = std::move(reason);
    text += cat(std::string(kIndent, ' '), address(mail.envelope.recipients[i].address), "\n");
  }
  return text;
}

std::string failure_line(const mail::FailedMail& failed) {
  std::string more = failed.more > 0 ? cat(" and ", std::to_string(failed.more), " more") : "";
  return cat("   ", to_text(failed.id), " ", local_time(failed.time, kTimeForm), "  ",
             address(failed.recipient), more, failed.last_reply.empty() ? "" : ": ", shown(failed.last_reply),
             "\n");
}

}  // namespace

std::string PostfixListing::notes(const std::vector<mail::FailedMail>& failed, bool is_operator,
                                  const std::string& drops) {
  std::string text = drops.empty() ? "" : cat("-- ", drops, "\n");
  if (!failed.empty())
    text += cat("-- ", std::to_string(failed.size()), failed.size() == 1 ? " mail" : " mails",
                is_operator ? "" : " of yours", " failed in the last day:\n");
  std::size_t count = std::min(failed.size(), kMostFailures);
  for (std::size_t i = 0; i < count; ++i) text += failure_line(failed[i]);
  if (count < failed.size()) text += cat("   and ", std::to_string(failed.size() - count), " earlier\n");
  return text.empty() ? text : text + '\n';
}

std::string PostfixListing::entry(const spool::ViewedMail& mail, const mail::MailState& state) {
  std::string_view before = mails_ == 0 ? kHeading : "\n";
  ++mails_;
  bytes_ += mail.mail.size;
  return cat(before, first_line(mail, state.state), recipient_lines(mail.mail, state));
}

std::string PostfixListing::end() const {
  if (mails_ == 0) return "Mail queue is empty\n";
  return cat("\n-- ", std::to_string(bytes_ / 1024), " Kbytes in ", std::to_string(mails_), " Request",
             mails_ == 1 ? "" : "s", ".\n");
}

}  // namespace hikyaku::listing
