// SPDX-License-Identifier: MIT
// Some smarthosts repeat what they were sent, the log-in included. What a session reads passes through here
// before anybody else sees it, so that no log, spool, status or bounce can hold its password: each piece of
// it (secret_pieces.h) becomes "***", also where some of its characters are percent-encoded, quoted-printable
// or escaped, and where it goes over the end of a line. Codes, enhanced statuses and the number of lines
// stay. Linear in the text. A word of SMTP's own (PLAIN, SIZE) stays also where it is the password: who hides
// it would not see what the smarthost offers, and nobody would learn less. Immutable; holds secrets, and
// wipes them.
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
  // Any text of the peer's; of several lines if there are LFs in it.
  std::string masked(std::string_view text) const;

 private:
  SecretPieces pieces_;
};

}  // namespace hikyaku::smtpc
