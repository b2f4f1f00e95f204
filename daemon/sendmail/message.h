// SPDX-License-Identifier: MIT
// Makes a mail from the command line and standard input: reads the header, finds recipients and sender,
// removes Bcc, and adds a From if -F asks for it. Does not look at the body.
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

// The envelope, already checked (recipients.h, arguments.h); its SMTP commands are the same for the socket,
// for TCP and for a drop.

struct Envelope {
  Address sender;  // empty: the null sender
  std::vector<Address> recipients;
  std::string notify;  // for each recipient, as in NOTIFY=; empty: absent
  std::string ret;
  std::string envid;
  std::string body;
  bool smtputf8 = false;
};

// "MAIL FROM:<…> …" with CR LF. `size`: of the content, if it is known and the server supports SIZE.
std::string mail_command(const Envelope& envelope, std::optional<std::uint64_t> size);
// "RCPT TO:<…> …" with CR LF for each recipient.
std::string rcpt_commands(const Envelope& envelope, std::span<const Address> recipients);

struct Caller {
  std::string user;  // the user name of the real uid
};

struct Message {
  Envelope envelope;
  std::string read;    // the content read so far: header and beginning of the body
  bool whole = false;  // `read` is the whole content
};

// Bytes of content kept in memory; longer content is read later, in pieces.
inline constexpr std::size_t kMostInMemory = 2 * 1024 * 1024;

// Reads the whole input, or up to kMostInMemory of it. If it fails, nothing has been stored.
Result<Message, Failure> read_message(const Request& request, const Caller& caller, Input& input);

}  // namespace hikyaku::sendmail
