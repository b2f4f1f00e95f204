// SPDX-License-Identifier: MIT
// The command line of `hikyaku`: its sub-commands, and `-c FILE` before or after their names. Each
// sub-command adds its name and options, and sets the action to run if it is chosen.
#pragma once

#include <functional>
#include <optional>
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
void add_drain_command(CLI::App& app, Action& chosen);
void add_control_commands(CLI::App& app, Action& chosen);  // status, health, reload
void add_spool_command(CLI::App& app, Action& chosen);
void add_dkim_command(CLI::App& app, Action& chosen);
void add_explain_command(CLI::App& app, Action& chosen);
void add_authinfo_command(CLI::App& app, Action& chosen);
void add_oauth_command(CLI::App& app, Action& chosen);
void add_config_command(CLI::App& app, Action& chosen);
void add_setup_command(CLI::App& app, Action& chosen);
void add_presets_command(CLI::App& app, Action& chosen);
void add_probe_command(CLI::App& app, Action& chosen);
void add_import_command(CLI::App& app, Action& chosen);
void add_check_command(CLI::App& app, Action& chosen);
void add_completion_command(CLI::App& app, Action& chosen);

// Adds `-c` and `--directory`, for the commands that read the spool itself.
void add_spool_options(CLI::App& command, SpoolOptions& options);

// Returns the action of the chosen sub-command. If help or the version was asked for, or the arguments are
// wrong, prints that (a mistake as one line on standard error, with the word that was probably meant); the
// action then only returns the exit code. `arguments` excludes the program's name.
Action understand_command_line(std::vector<std::string> arguments);

// What is wrong with such a command line, as one line without the hint at help; nullopt: nothing. Prints and runs nothing.
std::optional<std::string> mistake_in(std::vector<std::string> arguments);

}  // namespace hikyaku::commands
