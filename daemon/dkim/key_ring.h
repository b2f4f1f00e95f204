// SPDX-License-Identifier: MIT
// The keys that sign, and the fields they sign, as the daemon has them: read whole at the start and at each reload, unchanged between.
// DIRECTORY/DOMAIN/SELECTOR.key signs. What the name ends with besides says that the key does not, so that a
// key's state is in its name, and changes with one rename:
//   SELECTOR.key            active: signs. Of several of one kind, the one that became active last
//   SELECTOR.key.prepared   made, its record is perhaps not published yet
//   SELECTOR.key.retired    has signed; its record must stay until mail that it signed has been verified
// The file's time of change says since when. Files are judged as authinfo is: none that others may read.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/config/authinfo.h"
#include "daemon/config/problem.h"
#include "daemon/config/settings.h"
#include "daemon/dkim/signing_key.h"

namespace hikyaku::dkim {

enum class KeyState : std::uint8_t { active, prepared, retired };
std::string_view to_text(KeyState state);

struct KeyFile {
  std::string domain;  // A-labels, lower case
  std::string selector;
  KeyState state = KeyState::active;
  std::string path;
  WallTime since;
};
std::string key_path(const std::string& directory, const std::string& domain, const std::string& selector,
                     KeyState state);
// A label or several (RFC 6376 3.1), in lower case.
bool is_selector(std::string_view text);

// Sorted by domain, then from the newest to the oldest. Blocks. Where the directory is the default and missing,
// there are none. A problem: something that cannot be read, or is named as no key.
Result<std::vector<KeyFile>, config::Problems> find_key_files(const config::DkimSettings& settings);
Result<SigningKey, config::Problem> read_key_file(const std::string& path,
                                                  const config::AuthinfoReader& reader);

struct DomainKey {
  std::string domain;
  std::string selector;
  SigningKey key;
};

class KeyRing {
 public:
  KeyRing() = default;
  explicit KeyRing(std::vector<DomainKey> keys,
                   std::vector<std::string> signed_fields = config::DkimSettings().headers)
      : keys_(std::move(keys)), signed_fields_(std::move(signed_fields)) {}

  bool is_empty() const { return keys_.empty(); }
  // Those that sign mail of this domain (A-labels, lower case), one of each kind: its own, or else those of the
  // nearest domain above it, which is aligned with it for DMARC. RSA first.
  std::vector<const DomainKey*> keys_for(std::string_view domain) const;
  // As in config::DkimSettings.
  const std::vector<std::string>& signed_fields() const { return signed_fields_; }
  // What works and should be better: keys that are short.
  std::vector<std::string> warnings() const;

 private:
  std::vector<DomainKey> keys_;
  std::vector<std::string> signed_fields_ = config::DkimSettings().headers;
};
using KeyRingPtr = std::shared_ptr<const KeyRing>;

// All problems at once. Blocks. A domain with an Ed25519 key and none of RSA is one: many receivers do not verify
// Ed25519, and DMARC would fail there.
Result<KeyRingPtr, config::Problems> load_key_ring(const config::DkimSettings& settings,
                                                   const config::AuthinfoReader& reader);

}  // namespace hikyaku::dkim
