// SPDX-License-Identifier: MIT
// What a certificate that was refused says of itself, for the diagnosis. A peer's bytes, bounded but not
// escaped: whoever shows them escapes.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/clock.h"

namespace hikyaku {

struct CertificateFacts {
  std::vector<std::string> names{};  // DNS names and addresses that it is for, the first of them
  std::size_t more_names = 0;
  std::string common_name{};  // of its subject; no name that is looked at (RFC 9525 2)
  std::string fingerprint{};  // "sha256:" and 64 hex digits
  // The rest is about the certificate with the fault, which may be another one of its chain.
  std::string issuer{};  // "CN=R11, O=Let's Encrypt, C=US"
  std::string faulty{};  // the subject of that other one; empty: it is the server's own
  std::optional<WallTime> not_before{};
  std::optional<WallTime> not_after{};
};
using CertificateFactsPtr = std::shared_ptr<const CertificateFacts>;

}  // namespace hikyaku
