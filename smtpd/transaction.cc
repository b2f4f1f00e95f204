// SPDX-License-Identifier: MIT
#include "smtpd/transaction.h"

#include <utility>

#include "daemon/base/error.h"
#include "smtpd/replies.h"

namespace hikyaku::smtpd {

std::optional<Reply> Transaction::refusal_of(const mail::command::Mail& command, const Limits& limits) const {
  if (is_open_) return replies::nested_mail();
  if (command.size.value_or(0) > limits.max_size) return replies::too_big(limits.max_size);
  return std::nullopt;
}

std::optional<Reply> Transaction::refusal_of(const mail::command::Rcpt&, const Limits& limits) const {
  if (!is_open_) return replies::mail_first();
  if (envelope_.recipients.size() >= limits.max_recipients) return replies::too_many_recipients();
  return std::nullopt;
}

std::optional<Reply> Transaction::refusal_of_content() const {
  if (!is_open_) return replies::mail_first();
  if (envelope_.recipients.empty()) return replies::recipient_first();
  return std::nullopt;
}

void Transaction::begin(mail::Envelope envelope, const std::optional<mail::Handover>& handover) {
  check(!is_open_, "one transaction at a time");
  envelope_ = std::move(envelope);
  memory_ = mail::memory_of(envelope_);
  handover_ = handover;
  is_open_ = true;
}

void Transaction::add(mail::Recipient recipient) {
  memory_ += mail::memory_of(recipient);
  envelope_.recipients.push_back(std::move(recipient));
}

mail::Envelope Transaction::take_envelope() {
  mail::Envelope envelope = std::move(envelope_);
  clear();
  return envelope;
}

}  // namespace hikyaku::smtpd
