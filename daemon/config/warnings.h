// SPDX-License-Identifier: MIT
// Warnings about settings that are allowed but probably not intended, each a sentence that says what to
// change: for `hikyakud --check`, for the log at each start, and for `hikyaku status`. Pure: the caller
// (daemon/app/checking.h) finds out the facts that the settings do not show.
#pragma once

#include <string>
#include <vector>

#include "daemon/config/settings.h"

namespace hikyaku::config {

// The defaults give no warning.
struct SetupFacts {
  bool has_root_alias = true;
  std::vector<std::string> unknown_trusted{};  // names in submit.trusted that this machine does not know
  // Smarthosts whose credentials may change by an entry for an address, once their addresses are known.
  std::vector<std::string> undecided{};
  std::string sendmail{};  // what is wrong with the installed sendmail, in a sentence
  // Why the daemon's user could not load again what root has loaded.
  std::vector<std::string> reload_problems{};
  std::vector<std::string> signing_keys{};  // what should be better about them, a sentence each
  std::vector<std::string> door_keys{};     // the same, of the private keys in `listen`
};

// `settings` have their credentials attached.
std::vector<std::string> warnings(const Settings& settings, const SetupFacts& facts);

}  // namespace hikyaku::config
