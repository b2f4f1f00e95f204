// SPDX-License-Identifier: MIT
// Some smarthosts repeat what they were sent, the log-in included. All that a session reads passes through
// here first, so that no log, spool, status or bounce can hold the password: each piece of it
// (secret_pieces.h) becomes "***", also where some of its characters are percent-encoded, quoted-printable or
// escaped, and where it continues on the next line. Codes, enhanced statuses and the number of lines are
// kept. Linear in the text. A word of SMTP (PLAIN, SIZE) is kept even if it is the password: without it the
// client would not see what the smarthost offers, and hiding it would protect nothing. Immutable; holds
// secrets, and wipes them.
#pragma once

#include <string>
#include <string_view>

#include "daemon/mail/smtp_reply.h"
#include "smtpc/secret_pieces.h"

namespace hikyaku::smtpc {

class SecretMask {
 public:
  SecretMask() = default;  // hides nothing
  explicit SecretMask(const mail::Credentials& credentials) : pieces_(credentials) {}

  mail::Reply masked(mail::Reply reply) const;
  // Any text from the peer; LFs separate its lines.
  std::string masked(std::string_view text) const;

 private:
  SecretPieces pieces_;
};

}  // namespace hikyaku::smtpc
