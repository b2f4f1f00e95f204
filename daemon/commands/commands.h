// SPDX-License-Identifier: MIT
// The sub-commands of `hikyaku`. Each adds its name and options to the command line, and when it was chosen
// says what is to be done.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "daemon/base/exit.h"

namespace CLI {
class App;
}

namespace hikyaku::commands {

struct SpoolOptions;
using Action = std::function<Exit()>;

// `chosen` outlives `app`.
void add_sink_command(CLI::App& app, Action& chosen);
void add_demo_command(CLI::App& app, Action& chosen);
void add_queue_command(CLI::App& app, Action& chosen);
void add_control_commands(CLI::App& app, Action& chosen);  // status, reload
void add_spool_command(CLI::App& app, Action& chosen);

// `-c` and `--directory`, for the commands that look at the spool itself.
void add_spool_options(CLI::App& command, SpoolOptions& options);

// The command line of `hikyaku`: its sub-commands, `-c FILE` before or behind their names, and one line about
// what cannot be understood, with what was probably meant.

// What is to be done, or, where help or the version has been printed, or standard error says what is wrong,
// only how it ends. `arguments` without the program's name.
Action understand_command_line(std::vector<std::string> arguments);

}  // namespace hikyaku::commands
