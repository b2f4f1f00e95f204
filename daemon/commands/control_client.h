// SPDX-License-Identifier: MIT
// Sends requests to the daemon over its control socket, for the operator's command. Blocks.
#pragma once

#include <string>

#include "daemon/base/clock.h"
#include "daemon/base/json_value.h"
#include "daemon/base/secret.h"
#include "daemon/commands/daemon_paths.h"
#include "daemon/config/load.h"

namespace hikyaku::commands {

// The options that say where the daemon is.
struct ControlOptions {
  std::string config = config::kDefaultConfig;
  std::string socket;  // default: control.sock in the configuration's runtime_directory
};
struct FoundSocket {
  std::string path;
  std::string note;  // DaemonPaths::note
};
// Errors: configuration.
Result<FoundSocket, StartError> find_control_socket(const ControlOptions& options);

struct ControlReply {
  std::string text;  // as received
  JsonValue json;
};
struct ControlTimeouts {
  Duration alive = 5s;     // for a request that any working daemon answers at once
  Duration answer = 120s;  // until the answer begins, and between its pieces; a reload looks up names
};
// Sends a POST if there is a `body`, else a GET. Errors, with the daemon's text if it answered: unavailable
// (no daemon listens), try_again (no response, or the daemon asks to try again), no_permission, usage,
// damaged (422: the file that the daemon should read is wrong), internal.
Result<ControlReply, StartError> ask_control(const std::string& socket, const std::string& target,
                                             const std::optional<std::string>& body = std::nullopt,
                                             ControlTimeouts timeouts = {});
// The same by PUT, of what only the daemon may write.
Result<ControlReply, StartError> put_control(const std::string& socket, const std::string& target,
                                             const Secret& body);
// Prints the error on standard error and returns its exit code; `unavailable` becomes try_again (75), since
// the same command may work later.
Exit report_control(std::string_view command, const StartError& error);

}  // namespace hikyaku::commands
