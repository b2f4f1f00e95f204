// SPDX-License-Identifier: MIT
// From the command line and standard input to a mail that can be handed over: the header is read, recipients
// and sender are found, Bcc is taken out, a From is put in if -F asks for it. The body is not looked at.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daemon/sendmail/arguments.h"
#include "daemon/sendmail/input.h"
#include "daemon/sendmail/recipients.h"

namespace hikyaku::sendmail {

// What goes round a message, and the SMTP commands that say so; the same for the socket, for TCP and for a
// drop. Everything in here has been judged (recipients.h, arguments.h). Pure.

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

struct Caller {
  std::string user;  // the name of the real uid
};

struct Message {
  Envelope envelope;
  std::string read;    // of the content, what has been read: header, and the beginning of the body
  bool whole = false;  // that is all
};

// Bytes of content; what is longer stays outside.
inline constexpr std::size_t kMostInMemory = 2 * 1024 * 1024;

// Reads all of the input, or as much as kMostInMemory. Fails before anything has been stored.
Result<Message, Failure> read_message(const Request& request, const Caller& caller, Input& input);

}  // namespace hikyaku::sendmail
