// SPDX-License-Identifier: MIT
// The program `hikyakud`, from the command line to the exit code, in the order that is safe: read the
// configuration, bind, give up root, open the spool, serve.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/error.h"
#include "daemon/base/exit.h"
#include "daemon/base/fd.h"
#include "daemon/config/load.h"

namespace hikyaku::app {

// Returns after a stop, or when the daemon could not start. May end the process itself if nothing but name
// look-ups is still under way, which cannot be cancelled.
Exit run_hikyakud(const std::string& config_file);

// Answers 421 to all clients that connect within `span`, so that they try again later; returns at once if
// there are no sockets. For a daemon that was started by its socket and cannot run: clients left in the
// socket's queue would have the service manager start us again and again. `listening` becomes non-blocking.
// Blocks.
void turn_away(const std::vector<Fd>& listening, std::chrono::milliseconds span);

// Duplicates of the sockets, for use after the originals have been taken over.
std::vector<Fd> duplicates(const std::vector<Fd>& sockets);

// The command line, parsed without a library, as it has three options only.
struct StartOptions {
  enum class Action : std::uint8_t { serve, check, check_ports, print_help, print_version };
  Action action = Action::serve;
  std::string config_file = config::kDefaultConfig;
  std::vector<std::string> ports;  // for `check_ports`, as given
};

// `arguments` without the program's name. Errors: usage, with one line that says what is wrong. As usual, the
// last of several values counts, and `--help` and `--version` end the parsing.
Result<StartOptions, StartError> parse_start_options(std::vector<std::string> arguments);

// The text of `--help`.
std::string_view start_help();

}  // namespace hikyaku::app
