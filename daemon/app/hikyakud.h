// SPDX-License-Identifier: MIT
// The daemon from its first line to its exit code, in the order that safety asks for: read, bind, give up
// root, open the spool, serve.
#pragma once

#include <string>

#include "daemon/base/exit.h"

namespace hikyaku::app {

// Returns when it has been told to stop, or could not start. May leave the process by itself when only name
// look-ups are still under way, which nothing can cancel.
Exit run_hikyakud(const std::string& config_file);

}  // namespace hikyaku::app
