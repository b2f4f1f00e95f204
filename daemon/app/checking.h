// SPDX-License-Identifier: MIT
// `hikyakud --check`: reports everything that can be found wrong before a start, or else a short summary.
// Changes nothing and connects to nothing. Blocks.
#pragma once

#include <string>

#include "daemon/base/exit.h"
#include "daemon/system/loading.h"

namespace hikyaku::app {

// Prints problems to standard error, one a line, and the summary with its warnings to standard output. As
// root, the process switches to the daemon's user for good and checks as that user, so that a file that
// only root can read is a problem.
Exit check_everything(const std::string& config_file, const system::LoadCalls& calls = {});

}  // namespace hikyaku::app
