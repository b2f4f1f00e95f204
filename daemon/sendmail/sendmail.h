// SPDX-License-Identifier: MIT
// The program sendmail(1): what main calls once privilege and surroundings are in order.
#pragma once

#include <span>
#include <string_view>

#include "daemon/sendmail/exit.h"

namespace hikyaku::sendmail {

// `arguments` begins with the program's name. `elevated`: set-gid, so that the caller may not choose where
// the daemon is. Prints what is wrong, in one line.
Exit run(std::span<const std::string_view> arguments, bool elevated);

}  // namespace hikyaku::sendmail
