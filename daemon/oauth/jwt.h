// SPDX-License-Identifier: MIT
// Signed assertions (RFC 7515, RFC 7523) and the few hashes that OAuth2 asks for, by OpenSSL. Keys are PEM
// texts and are wiped after use. Pure but for the clock and the randomness that it is given. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "daemon/base/error.h"
#include "daemon/base/json.h"
#include "daemon/base/secret.h"

namespace hikyaku::oauth {

// The alphabet of URLs, without padding.
std::string to_base64url(std::string_view bytes);

// For PKCE (RFC 7636 4.2).
std::string sha256(std::string_view text);

// "header.claims.signature", with RS256. The key is RSA, in PEM, without a passphrase. The error says what is
// wrong with the key.
Result<Secret, std::string> sign_jwt(const JsonObject& header, const JsonObject& claims, const Secret& key);

// `x5t` of a certificate in PEM: the SHA-1 of its DER form (RFC 7515 4.1.7), which Microsoft finds it by.
Result<std::string, std::string> certificate_mark(std::string_view pem);

}  // namespace hikyaku::oauth
