// SPDX-License-Identifier: MIT
// How the programs end: sysexits, which scripts and the service manager rely on, and why a start has failed.
#pragma once

#include <sysexits.h>

#include "daemon/base/error.h"

namespace hikyaku {

enum class Exit : int {
  ok = EX_OK,
  attention = 1,  // `hikyaku status`: all is answered, and something waits for the operator
  usage = EX_USAGE,
  damaged = EX_DATAERR,          // what was given, or lies in the spool, cannot be used as it is
  no_input = EX_NOINPUT,         // no such mail, no spool, or standard input cannot be read
  unavailable = EX_UNAVAILABLE,  // an address is taken, another daemon holds the spool, or the daemon refused
  internal = EX_SOFTWARE,
  os = EX_OSERR,
  cannot_create = EX_CANTCREAT,  // spool or runtime directory
  io = EX_IOERR,                 // the spool, or standard input, cannot be read or written
  try_again = EX_TEMPFAIL,       // no daemon answers, or the spool changes too fast just now
  protocol = EX_PROTOCOL,        // the daemon did not understand
  no_permission = EX_NOPERM,
  configuration = EX_CONFIG,
};
using StartError = Error<Exit>;

}  // namespace hikyaku
