// SPDX-License-Identifier: MIT
// Asks the daemon over its control socket, for the operator's command. Blocks.
#pragma once

#include <string>

#include "daemon/base/clock.h"
#include "daemon/base/json_value.h"
#include "daemon/commands/daemon_paths.h"
#include "daemon/config/load.h"

namespace hikyaku::commands {

// What the command line says of where the daemon is.
struct ControlOptions {
  std::string config = config::kDefaultConfig;
  std::string socket;  // empty: control.sock in the configuration's runtime_directory
};
struct FoundSocket {
  std::string path;
  std::string note;  // DaemonPaths::note
};
// Errors: configuration.
Result<FoundSocket, StartError> find_control_socket(const ControlOptions& options);

struct ControlReply {
  std::string text;  // as it came
  JsonValue json;
};
struct ControlTimeouts {
  Duration alive = 5s;     // until the daemon's threads say anything at all
  Duration answer = 120s;  // until the answer begins, and between its pieces; a reload looks up names
};
// With `body` a POST, else a GET. Errors, in the daemon's words where it has answered: unavailable (no daemon
// there), try_again (it does not respond, or says so), no_permission, usage, damaged (422: what it was to
// read is wrong), internal.
Result<ControlReply, StartError> ask_control(const std::string& socket, const std::string& target,
                                             const std::optional<std::string>& body = std::nullopt,
                                             ControlTimeouts timeouts = {});
// Says it on standard error; without a daemon, too, the same may be tried later, so that is 75 as well.
Exit report_control(std::string_view command, const StartError& error);

}  // namespace hikyaku::commands
