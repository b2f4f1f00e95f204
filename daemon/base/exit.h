// SPDX-License-Identifier: MIT
// How the programs end: sysexits, as INTERFACES.md promises them, and why a start has failed.
#pragma once

#include <sysexits.h>

#include "daemon/base/error.h"

namespace hikyaku {

enum class Exit : int {
  ok = EX_OK,
  attention = 1,  // `hikyaku status`: all is answered, and something waits for the operator
  usage = EX_USAGE,
  damaged = EX_DATAERR,          // something that was asked for is not as it was written
  no_input = EX_NOINPUT,         // there is no such mail, or no spool
  unavailable = EX_UNAVAILABLE,  // a listen address is taken, another daemon holds the spool
  internal = EX_SOFTWARE,
  cannot_create = EX_CANTCREAT,  // spool or runtime directory
  io = EX_IOERR,                 // the spool cannot be read or written
  try_again = EX_TEMPFAIL,       // no daemon answers, or it changes too fast just now
  no_permission = EX_NOPERM,
  configuration = EX_CONFIG,
};
using StartError = Error<Exit>;

}  // namespace hikyaku
