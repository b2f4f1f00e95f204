// SPDX-License-Identifier: MIT
// The program sendmail(1); main calls run() once the process has been sanitized (process_hygiene.h).
#pragma once

#include <span>
#include <string_view>

#include "daemon/sendmail/exit.h"

namespace hikyaku::sendmail {

// `arguments` begins with the program's name. `elevated`: runs set-gid, so the caller may not choose another
// DaemonInfo. Prints an error in one line.
Exit run(std::span<const std::string_view> arguments, bool elevated);

}  // namespace hikyaku::sendmail
