// SPDX-License-Identifier: MIT
// The keys that sign, and the fields they sign, as the daemon has them: read whole at the start and at each reload,
// unchanged between.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/dkim/key_files.h"

namespace hikyaku::dkim {

struct DomainKey {
  std::string domain;
  std::string selector;
  SigningKey key;
  std::string file{};
};

class KeyRing {
 public:
  KeyRing() = default;
  explicit KeyRing(std::vector<DomainKey> keys,
                   std::vector<std::string> signed_fields = config::DkimSettings().headers,
                   std::string passed_over = "")
      : keys_(std::move(keys)),
        signed_fields_(std::move(signed_fields)),
        passed_over_(std::move(passed_over)) {}

  bool is_empty() const { return keys_.empty(); }
  // Those that sign mail of this domain (A-labels, lower case), one of each kind: its own, or else those of the
  // nearest domain above it, which is aligned with it for DMARC. RSA first.
  std::vector<const DomainKey*> keys_for(std::string_view domain) const;
  // As in config::DkimSettings.
  const std::vector<std::string>& signed_fields() const { return signed_fields_; }
  // What works and should be better: keys that are short, and keys that are passed over.
  std::vector<std::string> warnings() const;

 private:
  std::vector<DomainKey> keys_;
  std::vector<std::string> signed_fields_ = config::DkimSettings().headers;
  std::string passed_over_;  // a directory of keys beside credentials; empty: none
};
using KeyRingPtr = std::shared_ptr<const KeyRing>;

// All problems at once. Blocks. The keys are those of the directory that is configured; where none is, those that the
// service manager hands over; where it hands over none, those of the usual directory. A domain with an Ed25519 key and none of RSA is one: many receivers do not verify
// Ed25519, and DMARC would fail there.
Result<KeyRingPtr, config::Problems> load_key_ring(const config::DkimSettings& settings,
                                                   const config::AuthinfoReader& reader);

}  // namespace hikyaku::dkim
