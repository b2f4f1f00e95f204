// SPDX-License-Identifier: MIT
// Finds the control socket, the spool and the keys of the daemon that uses a configuration file. The daemon keeps
// running with the configuration that it read, so the file may have been broken since; then its readable
// parts count. Blocks.
#pragma once

#include <memory>
#include <string>

#include "daemon/base/exit.h"
#include "daemon/config/load.h"
#include "daemon/dkim/key_ring.h"
#include "spool/view.h"

namespace hikyaku::commands {

struct DaemonPaths {
  std::string control_socket;
  std::string spool;
  bool is_shared = false;  // its mail is in a database
  // Empty, or one line that says what is wrong with the file; the paths are then those that could still be
  // understood, or the defaults.
  std::string note;
};
// Fails with configuration if a file other than the default one cannot be read.
Result<DaemonPaths, StartError> find_daemon(const std::string& config);

// The options that say where the spool is.
struct SpoolOptions {
  std::string config = config::kDefaultConfig;
  std::string directory;  // default: spool.directory of the configuration
};

struct SpoolAccess {
  std::string directory;
  std::unique_ptr<spool::Disk> disk;
};
// Opens the spool for reading; the daemon may be using it. Prints DaemonPaths::note for `command`. Errors:
// configuration (the text lists its problems), no_input, no_permission, io.
Result<SpoolAccess, StartError> open_spool(std::string_view command, const SpoolOptions& options);

// The keys that sign mail as it leaves; none, with a note for `command`, where this user may not read them.
dkim::KeyRingPtr readable_keys(std::string_view command, const config::Settings& settings);

}  // namespace hikyaku::commands
