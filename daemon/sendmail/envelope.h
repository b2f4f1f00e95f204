// SPDX-License-Identifier: MIT
// What goes round a message, and the SMTP commands that say so; the same for the socket, for TCP and for a
// drop. Everything in here has been judged (recipients.h, arguments.h). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daemon/sendmail/recipients.h"

namespace hikyaku::sendmail {

struct Envelope {
  Address sender;  // empty: the null sender
  std::vector<Address> recipients;
  std::string notify;  // for each recipient, as in NOTIFY=; empty: not asked for
  std::string ret;
  std::string envid;
  std::string body;
  bool smtputf8 = false;
};

// "MAIL FROM:<…> …" with CR LF. `size` is the content's, if it is known and wanted.
std::string mail_command(const Envelope& envelope, std::optional<std::uint64_t> size);
// "RCPT TO:<…> …" with CR LF, for each of them.
std::string rcpt_commands(const Envelope& envelope, std::span<const Address> recipients);

}  // namespace hikyaku::sendmail
