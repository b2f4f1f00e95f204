// SPDX-License-Identifier: MIT
#include "daemon/mail/xtext.h"

#include "daemon/base/text.h"

namespace hikyaku::mail {
namespace {

constexpr char kHex[] = "0123456789ABCDEF";

bool is_beyond_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }
bool is_xchar(char c) { return (c > ' ' && c < 0x7f && c != '+' && c != '=') || is_beyond_ascii(c); }
bool is_printable(char c) { return c >= ' ' && c < 0x7f; }

// What "+XX" at the front of `text` stands for, if that may be.
std::optional<char> decode_hexchar(std::string_view text) {
  if (text.size() < 3) return std::nullopt;
  auto high = hex_value(text[1]);
  auto low = hex_value(text[2]);
  if (!high || !low || *high >= 8) return std::nullopt;
  char decoded = static_cast<char>(*high * 16 + *low);
  return is_printable(decoded) ? std::optional(decoded) : std::nullopt;
}

}  // namespace

std::string to_xtext(std::string_view decoded) {
  std::string encoded;
  for (char c : decoded) {
    auto byte = static_cast<unsigned char>(c);
    if (is_xchar(c)) {
      encoded += c;
    } else {
      encoded += {'+', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

std::optional<std::string> from_xtext(std::string_view encoded, bool smtputf8) {
  if (smtputf8 ? !is_valid_utf8(encoded) : !is_ascii(encoded)) return std::nullopt;
  std::string decoded;
  while (!encoded.empty()) {
    bool hexchar = encoded.front() == '+';
    if (!hexchar && !is_xchar(encoded.front())) return std::nullopt;
    auto c = hexchar ? decode_hexchar(encoded) : std::optional(encoded.front());
    if (!c) return std::nullopt;
    decoded += *c;
    encoded.remove_prefix(hexchar ? 3 : 1);
  }
  return decoded;
}

}  // namespace hikyaku::mail
