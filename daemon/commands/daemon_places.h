// SPDX-License-Identifier: MIT
// Where the daemon that belongs to a configuration file has its control socket and its spool. A daemon goes
// on with the configuration that it has read, so a file that was broken since must not hide the daemon.
// Blocks.
#pragma once

#include <string>

#include "daemon/base/exit.h"

namespace hikyaku::commands {

struct DaemonPlaces {
  std::string control_socket;
  std::string spool;
  // What is wrong with the file, in one line: these are then what can be understood of it, or the usual
  // places.
  std::string note;
};
// Errors: configuration, where another file than the usual one was named and cannot be read.
Result<DaemonPlaces, StartError> find_daemon(const std::string& config);

}  // namespace hikyaku::commands
