// SPDX-License-Identifier: MIT
// Loads all that the operator has written: the configuration, the credentials, the aliases, and the account
// that a daemon started as root switches to. Reports all problems at once. Blocks.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "daemon/config/authinfo.h"
#include "daemon/config/load.h"
#include "daemon/config/problem.h"
#include "daemon/config/settings.h"
#include "daemon/dkim/key_ring.h"
#include "daemon/system/accounts.h"

namespace hikyaku::system {

struct Loaded {
  config::Settings settings;       // with credentials, as far as they are found without look-ups
  config::Authinfo credentials;    // all of them
  dkim::KeyRingPtr signing_keys;   // never null
  config::LoadedAliases aliases;   // with problems only where the configuration does not name the file
  std::optional<Account> account;  // nullopt: the current user
};

enum class Purpose : std::uint8_t {
  run,
  check,  // root without `user` is not a problem: the service manager may set a user
};
Result<Loaded, config::Problems> load_everything(const std::string& config_file, Purpose purpose,
                                                 const FindAccount& find = find_account);

// The calls of load_as_daemon() that need root; tests replace them.
struct LoadCalls {
  FindAccount find = find_account;
  std::function<Result<void, StartError>(const Account&)> become = [](const Account& account) {
    return system::become(account);
  };
};
// What the daemon would load, seen with its user's eyes: as root, the process switches to that user for good
// first, so that a file that only root can read is a problem.
Result<Loaded, config::Problems> load_as_daemon(const std::string& config_file, const LoadCalls& calls = {});

// The user that will read the credentials file in the end: the file's permissions are judged for this user.
config::AuthinfoReader reader_for(const std::optional<Account>& account);

}  // namespace hikyaku::system
