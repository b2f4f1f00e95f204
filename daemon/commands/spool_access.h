// SPDX-License-Identifier: MIT
// Where a command finds the spool that it is to look at, and plain words for why it cannot. Opens it for
// reading; a daemon may be at work in it. Blocks.
#pragma once

#include <memory>
#include <string>

#include "daemon/commands/daemon_places.h"
#include "daemon/config/load.h"
#include "spool/view.h"

namespace hikyaku::commands {

// What the command line says.
struct SpoolWords {
  std::string config = config::kDefaultConfig;
  std::string directory;  // empty: spool.directory of the configuration
};

struct SpoolAccess {
  std::string directory;
  std::unique_ptr<spool::Disk> disk;
};
// Says on standard error, in the name of `command`, what is wrong with a configuration that leaves doubt.
// Errors: configuration (its problems are the text), no_input, no_permission, io.
Result<SpoolAccess, StartError> open_spool(std::string_view command, const SpoolWords& words);

// Says it on standard error.
Exit report(std::string_view command, const StartError& error);
// The same of DaemonPlaces::note, if there is one.
void report_note(std::string_view command, const std::string& note);

}  // namespace hikyaku::commands
