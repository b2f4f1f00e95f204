// SPDX-License-Identifier: MIT
#include "daemon/base/json.h"

#include <algorithm>

#include "daemon/base/text.h"

namespace hikyaku {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

// Bytes of the character that `text` begins with; 0: none.
std::size_t character_length(std::string_view text) {
  for (std::size_t length = 1; length <= std::min<std::size_t>(4, text.size()); ++length)
    if (is_valid_utf8(text.substr(0, length))) return length;
  return 0;
}

// Bytes at the beginning that stand for themselves: nearly all that there are.
std::size_t plain_length(std::string_view text) {
  auto is_special = [](char c) { return c < 0x20 || c > 0x7e || c == '"' || c == '\\'; };
  return static_cast<std::size_t>(std::ranges::find_if(text, is_special) - text.begin());
}

std::string by_number(unsigned char low) {
  return cat("\\u00", kHex.substr(low >> 4U, 1), kHex.substr(low & 15U, 1));
}

// DEL and the C1 controls too: a list may be read on a terminal.
std::string escaped(std::string_view character) {
  auto first = static_cast<unsigned char>(character[0]);
  auto last = static_cast<unsigned char>(character.back());
  if (first == '"' || first == '\\') return cat("\\", character);
  if (first < 0x20 || first == 0x7f) return by_number(first);
  if (first == 0xc2 && last < 0xa0) return by_number(last);
  return std::string(character);
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string json = "\"";
  for (;;) {
    std::size_t plain = plain_length(text);
    json += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) return json + '"';
    std::size_t length = character_length(text);
    json += length == 0 ? std::string(kReplacement) : escaped(text.substr(0, length));
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
}

std::string to_json(const JsonObject& object) { return object.text(); }
std::string to_json(const JsonList& list) { return list.text(); }

JsonObject& JsonObject::add_json(std::string_view name, std::string_view json) {
  if (!members_.empty()) members_ += ',';
  members_ += cat(json_string(name), ":", json);
  return *this;
}

JsonObject& JsonObject::append(const JsonObject& other) {
  if (!members_.empty() && !other.members_.empty()) members_ += ',';
  members_ += other.members_;
  return *this;
}

JsonList& JsonList::add_json(std::string_view json) {
  if (count_++ > 0) values_ += ',';
  values_ += json;
  return *this;
}

}  // namespace hikyaku
