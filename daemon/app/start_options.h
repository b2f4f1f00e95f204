// SPDX-License-Identifier: MIT
// The command line of `hikyakud`. Three options need no library; `hikyaku` has one for its sub-commands.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/error.h"
#include "daemon/base/exit.h"
#include "daemon/config/load.h"

namespace hikyaku::app {

struct StartOptions {
  enum class Task : std::uint8_t { serve, check, check_ports, print_help, print_version };
  Task task = Task::serve;
  std::string config_file = config::kDefaultConfig;
  std::vector<std::string> ports;  // for `check_ports`, as they were given
};

// `arguments` without the program's name. Errors: usage, with one line that says what is wrong. As everywhere
// the last of two values counts, and `--help` and `--version` win over what stands behind them.
Result<StartOptions, StartError> parse_start_options(std::vector<std::string> arguments);

// What `--help` prints.
std::string_view start_help();

}  // namespace hikyaku::app
