// SPDX-License-Identifier: MIT
// What the layers share about TLS without knowing OpenSSL: protocol versions, and what a certificate
// contains. The latter are a peer's bytes, bounded but not escaped: code that shows them escapes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/clock.h"

namespace hikyaku {

// One certificate of a chain.
struct ChainLink {
  std::string subject;  // "CN=smtp.example.com"
  std::string issuer;   // "CN=R11, O=Let's Encrypt, C=US"
  std::optional<WallTime> not_before;
  std::optional<WallTime> not_after;
};

struct CertificateFacts {
  std::vector<std::string> names{};  // the first DNS names and addresses that it is valid for
  std::size_t more_names = 0;
  std::string common_name{};  // of its subject; never compared with the host's name (RFC 9525 2)
  std::string fingerprint{};  // "sha256:" and 64 hex digits
  // These are about the certificate with the fault, which may be another one of its chain.
  std::string issuer{};  // "CN=R11, O=Let's Encrypt, C=US"
  std::string faulty{};  // the subject of that other certificate; empty if the fault is in the server's own
  std::optional<WallTime> not_before{};
  std::optional<WallTime> not_after{};
  // From the server's own on: as verified up to the root; of a certificate that was not verified, as the server
  // sent it. At most ten.
  std::vector<ChainLink> chain{};
};
using CertificateFactsPtr = std::shared_ptr<const CertificateFacts>;

// The oldest TLS version that a connection may use: in the configuration, and where TLS is spoken.

enum class TlsVersion : std::uint8_t { tls1_0, tls1_1, tls1_2, tls1_3 };

}  // namespace hikyaku
