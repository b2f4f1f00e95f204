// SPDX-License-Identifier: MIT
// The exit codes of sendmail(1), those of sysexits(3), as its callers expect. 0 only if the mail is durable,
// 75 only if nothing was stored. And its output.
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
  unavailable = EX_UNAVAILABLE,  // 69: not supported here, or refused by the daemon
  software = EX_SOFTWARE,        // 70
  os = EX_OSERR,                 // 71
  io = EX_IOERR,                 // 74: reading standard input failed
  temporary = EX_TEMPFAIL,       // 75
  protocol = EX_PROTOCOL,        // 76: the daemon rejected a command as wrong
  no_permission = EX_NOPERM,     // 77: forbidden by the daemon's policy
};

// The reason of a failure in one line that also says what to do, and the exit code.
using Failure = Error<Exit>;

// Writes all of `bytes` to any kind of descriptor; returns false if nobody reads it any more. Blocks.
bool write_all(int fd, std::string_view bytes);
// Writes to standard output and ignores errors. Blocks.
void print(std::string_view text);

}  // namespace hikyaku::sendmail
