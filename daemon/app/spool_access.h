// SPDX-License-Identifier: MIT
// Where a command finds the spool that it is to look at, and plain words for why it cannot. Opens it for
// reading; a daemon may be at work in it. Blocks.
#pragma once

#include <CLI/App.hpp>
#include <memory>
#include <string>

#include "daemon/app/exit.h"
#include "spool/view.h"

namespace hikyaku::app {

// What the command line says.
struct SpoolWords {
  std::string config = "/etc/hikyaku/hikyaku.yaml";
  std::string directory;  // empty: spool.directory of the configuration
};
void add_spool_options(CLI::App& command, SpoolWords& words);

struct SpoolAccess {
  std::string directory;
  std::unique_ptr<spool::Disk> disk;
};
// Errors: configuration (its problems are the text), no_input, no_permission, io.
Result<SpoolAccess, StartError> open_spool(const SpoolWords& words);
// The same as errors of reading it.
StartError explain(const spool::ViewError& error, const std::string& directory);

// Says it on standard error.
Exit report(std::string_view command, const StartError& error);

}  // namespace hikyaku::app
