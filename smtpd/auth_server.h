// SPDX-License-Identifier: MIT
// The server's side of SASL's PLAIN (RFC 4616), LOGIN and CRAM-MD5 (RFC 2195) for one user, as `hikyaku sink`
// needs it. Bytes in, bytes out, no Base64, no I/O.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "smtpd/options.h"

namespace hikyaku::smtpd {

struct AuthStep {
  enum class Kind : std::uint8_t { challenge, accepted, refused, malformed };
  Kind kind;
  std::string challenge;
};

class AuthMechanism {
 public:
  virtual ~AuthMechanism() = default;
  // First with the initial response, if there was one; then with each answer to a challenge.
  virtual AuthStep step(const std::optional<std::string>& response) = 0;
};

// Nothing if `options` do not offer it. `nonce` is unique ("<random@host>"), for CRAM-MD5. `options` outlive
// it.
std::unique_ptr<AuthMechanism> make_auth_mechanism(std::string_view name, const AuthOptions& options,
                                                   std::string nonce);

}  // namespace hikyaku::smtpd
