// SPDX-License-Identifier: MIT
#include "daemon/app/postfix_listing.h"

#include <algorithm>
#include <ctime>

#include "daemon/app/queue_listing.h"
#include "daemon/base/text.h"

namespace hikyaku::app {
namespace {

constexpr std::string_view kHeading =
    "----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------\n";
constexpr std::size_t kIdWidth = 17;
constexpr std::size_t kSizeWidth = 8;
constexpr std::size_t kTimeWidth = 19;
constexpr std::size_t kReasonWidth = 76;
constexpr std::size_t kLongestAddress = 320;

std::string left(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}
std::string right(std::string text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

// "Sun Nov  1 03:14:04", as asctime(3) has it.
std::string local_time(WallTime time) {
  std::time_t seconds = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(time));
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%a %b %e %H:%M:%S", &parts)};
}

std::string_view mark_of(QueueState state) {
  switch (state) {
    case QueueState::active: return "*";
    case QueueState::deferred: return "";
    case QueueState::held: return "!";
  }
  return "";
}

std::string address(std::string_view address) { return printable(address, kLongestAddress); }

std::string first_line(const spool::ViewedMail& viewed) {
  const mail::QueuedMail& mail = viewed.mail;
  const std::string& sender = mail.envelope.sender;
  return cat(left(cat(to_text(mail.id), mark_of(state_of(mail.progress))), kIdWidth), " ",
             right(std::to_string(mail.size), kSizeWidth), " ", right(local_time(mail.arrival), kTimeWidth),
             " ", sender.empty() ? "MAILER-DAEMON" : address(sender), "\n");
}

// Whom it is still about: those who wait, or where nobody does and the operator is asked, all.
bool is_shown(const mail::Progress& progress, std::size_t recipient) {
  return progress.is_settled() || progress.recipients[recipient].state == mail::RecipientState::pending;
}

std::string reason_of(const mail::Progress& progress, std::size_t recipient) {
  const std::string& reply = progress.recipients[recipient].last_reply;
  return shown(reply.empty() ? progress.reason : reply);
}

std::string reason_line(std::string_view reason) {
  std::string_view text = reason.empty() ? "reason unavailable" : reason;
  return cat(std::string(kReasonWidth - std::min(kReasonWidth, text.size()), ' '), "(", text, ")\n");
}

// A reason stands once before all the recipients that share it.
std::string recipient_lines(const mail::QueuedMail& mail) {
  constexpr std::size_t kIndent = kIdWidth + kSizeWidth + kTimeWidth + 3;
  std::string text;
  std::string last;
  for (std::size_t i = 0; i < mail.envelope.recipients.size(); ++i) {
    if (!is_shown(mail.progress, i)) continue;
    std::string reason = reason_of(mail.progress, i);
    if (reason != last) text += reason_line(reason);
    last = std::move(reason);
    text += cat(std::string(kIndent, ' '), address(mail.envelope.recipients[i].address), "\n");
  }
  return text;
}

}  // namespace

std::string PostfixListing::entry(const spool::ViewedMail& mail) {
  std::string_view before = mails_ == 0 ? kHeading : "\n";
  ++mails_;
  bytes_ += mail.mail.size;
  return cat(before, first_line(mail), recipient_lines(mail.mail));
}

std::string PostfixListing::end() const {
  if (mails_ == 0) return "Mail queue is empty\n";
  return cat("\n-- ", std::to_string(bytes_ / 1024), " Kbytes in ", std::to_string(mails_), " Request",
             mails_ == 1 ? "" : "s", ".\n");
}

}  // namespace hikyaku::app
