// SPDX-License-Identifier: MIT
// The signing keys as the operator's commands change them (dkim/key_files.h has the names): made so that nobody but
// root and the daemon can read them at any time, and moved from one state to the next by one rename, under a
// lock. A crash leaves the old state or the new one; of two active keys of a kind the newer one signs. Blocks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/base/exit.h"
#include "daemon/dkim/key_ring.h"
#include "daemon/system/accounts.h"

namespace hikyaku::setup {

struct StoredKey {
  dkim::KeyFile file;
  dkim::SigningKey key;
};

class DkimStore {
 public:
  DkimStore(config::DkimSettings settings, std::optional<system::Account> daemon)
      : settings_(std::move(settings)), daemon_(std::move(daemon)) {}

  const std::string& directory() const { return settings_.directory; }
  // Those of one domain, or all where it is empty. Errors: configuration (what is wrong with a file),
  // no_permission.
  Result<std::vector<StoredKey>, StartError> list(const std::string& domain = "") const;
  // Errors: no_input (there is none of these names).
  Result<StoredKey, StartError> find(const std::string& domain, const std::string& selector) const;

  // Makes a prepared key. Errors: usage (the selector is taken), cannot_create, no_permission, internal.
  Result<StoredKey, StartError> create(const std::string& domain, const std::string& selector,
                                       dkim::KeyKind kind) const;
  // The key signs from the daemon's next reload on, and what has signed until then is retired: these are returned.
  // Errors: usage (Ed25519 without an active RSA key beside it).
  Result<std::vector<StoredKey>, StartError> activate(const StoredKey& key) const;
  // Errors: usage (an Ed25519 key would be left alone).
  Result<void, StartError> retire(const StoredKey& key) const;

 private:
  Result<void, StartError> move(const StoredKey& key, dkim::KeyState to) const;

  config::DkimSettings settings_;
  std::optional<system::Account> daemon_;
};

// "hk202612", or with "-2" and so on behind it: the first that is not among the keys.
std::string free_selector(const std::vector<StoredKey>& keys, WallTime now);

}  // namespace hikyaku::setup
