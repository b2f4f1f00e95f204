// SPDX-License-Identifier: MIT
// How sendmail(1) ends: sysexits, as its callers know them. 0 only if the mail is durable, 75 only if nothing
// was stored.
#pragma once

#include <string>
#include <string_view>

#include "daemon/base/error.h"
#include "daemon/base/exit.h"

namespace hikyaku::sendmail {

// Why nothing was done, and the exit code that says so. One line that says what to do.
using Failure = Error<Exit>;

// What goes to the caller's descriptors, which may be anything. Blocks.

// Writes all of it; false if nobody is there to take it.
bool write_all(int fd, std::string_view bytes);
// The same to standard output, whatever becomes of it.
void print(std::string_view text);

}  // namespace hikyaku::sendmail
