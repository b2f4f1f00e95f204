// SPDX-License-Identifier: MIT
// The mail transaction of RFC 5321 3.3: the envelope from MAIL and RCPT so far, and whether the next command
// may come now. An end of a transaction, for any reason, clears all of it. Pure.
#pragma once

#include <optional>

#include "daemon/mail/smtp_command.h"
#include "smtpd/options.h"
#include "smtpd/replies.h"

namespace hikyaku::smtpd {

class Transaction {
 public:
  bool is_open() const { return is_open_; }
  const mail::Envelope& envelope() const { return envelope_; }
  // For parse_command: RCPT may use UTF-8 where MAIL announced it.
  bool smtputf8() const { return envelope_.smtputf8; }
  // Of a mail that another hikyaku hands over.
  const std::optional<mail::Handover>& handover() const { return handover_; }

  // nullopt if the command may come now.
  std::optional<Reply> refusal_of(const mail::command::Mail& command, const Limits& limits) const;
  std::optional<Reply> refusal_of(const mail::command::Rcpt& command, const Limits& limits) const;
  std::optional<Reply> refusal_of_content() const;  // DATA, BDAT

  void begin(mail::Envelope envelope, const std::optional<mail::Handover>& handover = std::nullopt);
  void add(mail::Recipient recipient);
  // What the envelope takes in memory, bytes.
  std::uint64_t memory() const { return memory_; }
  // Ends it.
  mail::Envelope take_envelope();
  void clear() { *this = Transaction(); }

 private:
  bool is_open_ = false;
  mail::Envelope envelope_;
  std::uint64_t memory_ = 0;
  std::optional<mail::Handover> handover_;
};

}  // namespace hikyaku::smtpd
