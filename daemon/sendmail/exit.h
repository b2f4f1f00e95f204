// SPDX-License-Identifier: MIT
// How sendmail(1) ends: sysexits, as its callers know them. 0 only if the mail is durable, 75 only if nothing
// was stored.
#pragma once

#include <sysexits.h>

#include <string>
#include <string_view>

#include "daemon/base/error.h"

namespace hikyaku::sendmail {

enum class Exit : int {
  ok = EX_OK,
  usage = EX_USAGE,              // 64: the command line, or no recipients
  bad_data = EX_DATAERR,         // 65: an address or the message cannot be sent as it is
  no_input = EX_NOINPUT,         // 66: standard input cannot be read
  unavailable = EX_UNAVAILABLE,  // 69: what was asked for is not done here, or the daemon refused it
  software = EX_SOFTWARE,        // 70
  os = EX_OSERR,                 // 71
  io = EX_IOERR,                 // 74: standard input broke off with an error
  temporary = EX_TEMPFAIL,       // 75
  protocol = EX_PROTOCOL,        // 76: the daemon did not understand
  no_permission = EX_NOPERM,     // 77: the daemon's policy
};

// Why nothing was done, and the exit code that says so. One line that says what to do.
using Failure = Error<Exit>;

// What goes to the caller's descriptors, which may be anything. Blocks.

// Writes all of it; false if nobody is there to take it.
bool write_all(int fd, std::string_view bytes);
// The same to standard output, whatever becomes of it.
void print(std::string_view text);

}  // namespace hikyaku::sendmail
