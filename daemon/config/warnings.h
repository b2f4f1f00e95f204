// SPDX-License-Identifier: MIT
// What is allowed but probably not meant, one sentence each with what to change: for `hikyakud --check`, for
// the log at each start, and for `hikyaku status`. Pure: what the settings do not show is found out by the
// caller (daemon/app/checking.h) and comes as facts.
#pragma once

#include <string>
#include <vector>

#include "daemon/config/settings.h"

namespace hikyaku::config {

// As they stand here they warn of nothing.
struct SetupFacts {
  bool has_root_alias = true;
  std::vector<std::string> unknown_trusted{};  // names in submit.trusted that are nobody's on this machine
  // Smarthosts that an entry by address may have credentials for, once their addresses are known.
  std::vector<std::string> undecided{};
  std::string sendmail{};  // what is wrong with the installed sendmail, in a sentence
  // Why the daemon's user could not load again what root has loaded.
  std::vector<std::string> reload_problems{};
};

// `settings` have their credentials attached.
std::vector<std::string> warnings(const Settings& settings, const SetupFacts& facts);

}  // namespace hikyaku::config
