// SPDX-License-Identifier: MIT
// Finds the control socket, the spool and the keys of the daemon that uses a configuration file. The daemon keeps
// running with the configuration that it read, so the file may have been broken since; then its readable
// parts count. Blocks.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemon/base/exit.h"
#include "daemon/config/load.h"
#include "daemon/dkim/key_ring.h"
#include "spool/postgresql/database_view.h"
#include "spool/view.h"

namespace hikyaku::commands {

struct DaemonPaths {
  std::string control_socket;
  std::string spool;
  std::optional<postgresql::SharedPlace>
      fleet{};  // its mail is in this database, and only drop/ in the spool
  // Empty, or one line that says what is wrong with the file; the paths are then those that could still be
  // understood, or the defaults.
  std::string note;
};
// Fails with configuration if a file other than the default one cannot be read.
Result<DaemonPaths, StartError> find_daemon(const std::string& config);

// The options that say where the spool is.
struct SpoolOptions {
  std::string config = config::kDefaultConfig;
  std::string directory;  // or a database's URL; default: what the configuration names
};

struct SpoolPlace {
  std::string directory{};  // of a local spool; of a shared one, where drop/ is, if known
  std::optional<postgresql::SharedPlace> fleet{};  // of a shared spool
  std::string shown() const;                       // for people
};
// Prints DaemonPaths::note for `command`. Errors: configuration (the text lists its problems).
Result<SpoolPlace, StartError> find_spool(std::string_view command, const SpoolOptions& options);

// Opens a local spool for reading; the daemon may be using it. Errors: no_input, no_permission, io.
Result<std::unique_ptr<spool::Disk>, StartError> open_disk(const std::string& directory);
// The same of either kind, of one mail or of all. Errors also: usage, os, try_again, configuration.
Result<std::shared_ptr<spool::QueueView>, StartError> open_view(
    const SpoolPlace& place, std::optional<mail::MailId> only = std::nullopt);

// The keys that sign mail as it leaves; none, with a note for `command`, where this user may not read them.
dkim::KeyRingPtr readable_keys(std::string_view command, const config::Settings& settings);

}  // namespace hikyaku::commands
