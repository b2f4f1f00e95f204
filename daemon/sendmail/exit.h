// SPDX-License-Identifier: MIT
// The exit codes of sendmail(1), those of sysexits(3), as its callers expect. 0 only if the mail is durable,
// 75 only if nothing was stored. And its output.
#pragma once

#include <string>
#include <string_view>

#include "daemon/base/error.h"
#include "daemon/base/exit.h"

namespace hikyaku::sendmail {

// The reason of a failure in one line that also says what to do, and the exit code.
using Failure = Error<Exit>;

// Writes all of `bytes` to any kind of descriptor; returns false if nobody reads it any more. Blocks.
bool write_all(int fd, std::string_view bytes);
// Writes to standard output and ignores errors. Blocks.
void print(std::string_view text);

}  // namespace hikyaku::sendmail
