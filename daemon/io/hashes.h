// SPDX-License-Identifier: MIT
// Keyed hashes by OpenSSL, as lower-case hex digits. Each returns nullopt if OpenSSL's configuration does not
// allow the hash.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hikyaku::io {

// A hash by which to recognise a secret that must not be stored. Whoever reads the hash can try guesses, but
// each guess takes as long as this call, about 0.1 s of a processor. PBKDF2 with HMAC-SHA-512 (RFC 8018),
// which needs little memory. 64 digits. `salt` is at least 8 random bytes, drawn anew for each secret.
// Blocks.
std::optional<std::string> slow_hash(std::string_view secret, std::string_view salt);

// HMAC-MD5 (RFC 2104), 32 digits, for CRAM-MD5 (RFC 2195), which old clients still use. For nothing else: MD5
// protects nothing.
std::optional<std::string> hmac_md5(std::string_view key, std::string_view text);

}  // namespace hikyaku::io
