// SPDX-License-Identifier: MIT
// Everything that the operator has written, read and put together: the configuration, the credentials, and
// whom a daemon that was started as root is to become. All problems at once, nothing half understood. Blocks.
#pragma once

#include <optional>
#include <string>

#include "daemon/config/aliases_file.h"
#include "daemon/config/authinfo.h"
#include "daemon/config/problem.h"
#include "daemon/config/settings.h"
#include "daemon/system/privileges.h"

namespace hikyaku::app {

struct Loaded {
  config::Settings settings;      // with credentials, as far as they are found without look-ups
  config::Authinfo credentials;   // all of them
  config::LoadedAliases aliases;  // with problems only where the configuration does not name the file
  std::optional<system::Account> account;  // nothing: whom we are
};

enum class Purpose : std::uint8_t {
  run,
  check,  // root without `user` is no problem: the service manager may have one
};
Result<Loaded, config::Problems> load_everything(const std::string& config_file, Purpose purpose,
                                                 const system::FindAccount& find = system::find_account);

// Who will read the credentials file in the end, which decides whom its permissions may favour.
config::AuthinfoReader reader_for(const std::optional<system::Account>& account);

}  // namespace hikyaku::app
