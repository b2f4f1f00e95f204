// SPDX-License-Identifier: MIT
// From the command line and standard input to a mail that can be handed over: the header is read, recipients
// and sender are found, Bcc is taken out, a From is put in if -F asks for it. The body is not looked at.
#pragma once

#include <string>

#include "daemon/sendmail/arguments.h"
#include "daemon/sendmail/envelope.h"
#include "daemon/sendmail/input.h"

namespace hikyaku::sendmail {

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
