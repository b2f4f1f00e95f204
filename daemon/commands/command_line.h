// SPDX-License-Identifier: MIT
// The command line of `hikyaku`: its sub-commands, `-c FILE` before or behind their names, and one line about
// what cannot be understood, with what was probably meant.
#pragma once

#include <string>
#include <vector>

#include "daemon/commands/commands.h"

namespace hikyaku::commands {

// What is to be done, or, where help or the version has been printed, or standard error says what is wrong,
// only how it ends. `arguments` without the program's name.
Action understand_command_line(std::vector<std::string> arguments);

}  // namespace hikyaku::commands
