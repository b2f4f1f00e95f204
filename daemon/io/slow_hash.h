// SPDX-License-Identifier: MIT
// A hash to recognise a secret by that must not be kept itself: whoever has the hash can try guesses, but
// each costs what it costs here, about 0.1 s of a processor. PBKDF2 with HMAC-SHA-512 (RFC 8018): it needs no
// memory worth speaking of.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hikyaku::io {

// 64 lower-case hex digits. The salt is at least 8 random bytes, drawn for each secret anew. Blocks. Returns
// nullopt if OpenSSL's configuration does not allow it.
std::optional<std::string> slow_hash(std::string_view secret, std::string_view salt);

}  // namespace hikyaku::io
