// SPDX-License-Identifier: MIT
// What a text must not hold of a password, found by plain search: eight characters in a row of it, or of its
// Base64 at any offset (of what no neighbour has a part in).
#pragma once

#include <string>
#include <string_view>

#include "daemon/base/base64.h"
#include "daemon/base/text.h"

namespace hikyaku::test {

inline constexpr std::size_t kTrace = 8;

inline bool has_piece(std::string_view text, std::string_view form) {
  for (std::size_t at = 0; at + kTrace <= form.size(); ++at)
    if (text.find(form.substr(at, kTrace)) != text.npos) return true;
  return false;
}

inline bool has_secret(std::string_view text, std::string_view password) {
  if (has_piece(text, password)) return true;
  for (std::size_t offset = 0; offset < 3; ++offset) {
    const std::string encoded = to_base64(std::string(offset, 'x') + std::string(password));
    const std::size_t first = (offset * 8 + 5) / 6;
    const std::size_t end = (offset + password.size()) * 8 / 6;
    if (has_piece(text, std::string_view(encoded).substr(first, end - first))) return true;
  }
  return false;
}

// A text with the bytes that printable() has escaped in it. What a peer has said is looked at, and not what an
// escape's own digits happen to spell with it.
inline std::string without_escapes(std::string_view text) {
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool is_escape = text.substr(at).starts_with("\\x") && at + 4 <= text.size();
    const auto high = is_escape ? hex_value(text[at + 2]) : std::nullopt;
    const auto low = is_escape ? hex_value(text[at + 3]) : std::nullopt;
    bytes += high && low ? static_cast<char>(*high * 16 + *low) : text[at];
    if (high && low) at += 3;
  }
  return bytes;
}

}  // namespace hikyaku::test
