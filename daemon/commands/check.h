// SPDX-License-Identifier: MIT
// `hikyaku check` as a function, for `hikyaku setup` too. Blocks, and prints to standard output and standard error.
#pragma once

#include <string>

#include "daemon/base/exit.h"
#include "daemon/config/load.h"
#include "daemon/system/loading.h"

namespace hikyaku::commands {

struct CheckOptions {
  std::string config = config::kDefaultConfig;
  std::string name{};     // of a smarthost; empty: all
  std::string send_to{};  // an address; empty: no mail is sent
  bool json = false;
};

// Returns ok only if mail can be sent through each of them; attention if not; usage, configuration. As root the
// process becomes the daemon's user, for good, and a name service that hangs ends it at the end: a caller that has more
// to do runs this in a child.
Exit run_check(const CheckOptions& options, const system::LoadCalls& calls = {});

}  // namespace hikyaku::commands
