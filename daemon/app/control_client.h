// SPDX-License-Identifier: MIT
// Asks the daemon over its control socket, for the operator's command. Blocks.
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "daemon/app/exit.h"
#include "daemon/base/json_value.h"

namespace hikyaku::app {

// What the command line says of where the daemon is.
struct ControlWords {
  std::string config = "/etc/hikyaku/hikyaku.yaml";
  std::string socket;  // empty: control.sock in the configuration's runtime_directory
};
void add_control_options(CLI::App& command, ControlWords& words);
// Errors: configuration.
Result<std::string, StartError> find_control_socket(const ControlWords& words);

struct ControlReply {
  std::string text;  // as it came
  JsonValue json;
};
// With `body` a POST, else a GET. Errors, in the daemon's words where it has answered: unavailable (no daemon
// there), no_permission, usage, damaged (422: what it was to read is wrong), try_again, internal.
Result<ControlReply, StartError> ask_control(const std::string& socket, const std::string& target,
                                             const std::optional<std::string>& body = std::nullopt);

}  // namespace hikyaku::app
