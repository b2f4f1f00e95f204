// SPDX-License-Identifier: MIT
#include "daemon/app/json.h"

#include <algorithm>

#include "daemon/base/text.h"

namespace hikyaku::app {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

// Bytes of the character that `text` begins with; 0: none.
std::size_t character_length(std::string_view text) {
  for (std::size_t length = 1; length <= std::min<std::size_t>(4, text.size()); ++length)
    if (is_valid_utf8(text.substr(0, length))) return length;
  return 0;
}

std::string escaped(std::string_view character) {
  char c = character[0];
  if (c == '"' || c == '\\') return cat("\\", character);
  if (static_cast<unsigned char>(c) >= 0x20) return std::string(character);
  return cat("\\u00", kHex.substr(static_cast<std::size_t>(c >> 4), 1), kHex.substr(c & 15, 1));
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string json = "\"";
  while (!text.empty()) {
    std::size_t length = character_length(text);
    json += length == 0 ? std::string(kReplacement) : escaped(text.substr(0, length));
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return json + '"';
}

}  // namespace hikyaku::app
