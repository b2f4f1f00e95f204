// SPDX-License-Identifier: MIT
// -bs: the caller speaks SMTP on standard input and output, the daemon answers; we only carry the bytes.
#pragma once

#include <functional>
#include <string_view>

#include "daemon/base/fd.h"
#include "daemon/sendmail/exit.h"

namespace hikyaku::sendmail {

// In place of the reply that the daemon has not given.
inline constexpr std::string_view kDaemonLost = "421 4.3.2 The daemon has gone, try again\r\n";

using TakeOutput = std::function<bool(std::string_view bytes)>;  // false: nobody is there to take it

// Carries `in` to the daemon and its answers to `out` until it hangs up. The end of `in` is passed on. If the
// daemon is lost without a farewell, a 421 takes its place, and the exit code is `temporary`.
Exit carry_smtp(Fd daemon, int in, const TakeOutput& out);

}  // namespace hikyaku::sendmail
