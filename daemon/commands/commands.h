// SPDX-License-Identifier: MIT
// The sub-commands of `hikyaku`. Each adds its name and options to the command line, and when it was chosen
// says what is to be done.
#pragma once

#include <CLI/App.hpp>
#include <functional>

#include "daemon/base/exit.h"

namespace hikyaku::commands {

using Action = std::function<Exit()>;

// `chosen` outlives `app`.
void add_sink_command(CLI::App& app, Action& chosen);
void add_demo_command(CLI::App& app, Action& chosen);
void add_queue_command(CLI::App& app, Action& chosen);
void add_control_commands(CLI::App& app, Action& chosen);  // status, reload
void add_spool_command(CLI::App& app, Action& chosen);

}  // namespace hikyaku::commands
