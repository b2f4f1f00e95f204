// SPDX-License-Identifier: MIT
// Where the daemon that belongs to a configuration file has its control socket and its spool. A daemon goes
// on with the configuration that it has read, so a file that was broken since must not hide the daemon.
// Blocks.
#pragma once

#include <memory>
#include <string>

#include "daemon/base/exit.h"
#include "daemon/config/load.h"
#include "spool/view.h"

namespace hikyaku::commands {

struct DaemonPaths {
  std::string control_socket;
  std::string spool;
  // What is wrong with the file, in one line: these are then what can be understood of it, or the usual
  // places.
  std::string note;
};
// Errors: configuration, where another file than the usual one was named and cannot be read.
Result<DaemonPaths, StartError> find_daemon(const std::string& config);

// Where a command finds the spool that it is to look at, and plain words for why it cannot. Opens it for
// reading; a daemon may be at work in it. Blocks.

// What the command line says.
struct SpoolOptions {
  std::string config = config::kDefaultConfig;
  std::string directory;  // empty: spool.directory of the configuration
};

struct SpoolAccess {
  std::string directory;
  std::unique_ptr<spool::Disk> disk;
};
// Says on standard error, in the name of `command`, what is wrong with a configuration that leaves doubt.
// Errors: configuration (its problems are the text), no_input, no_permission, io.
Result<SpoolAccess, StartError> open_spool(std::string_view command, const SpoolOptions& options);

}  // namespace hikyaku::commands
