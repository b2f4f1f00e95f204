// SPDX-License-Identifier: MIT
#include "daemon/log/address_mask.h"

#include <algorithm>

#include "daemon/base/text.h"

namespace hikyaku::log {
namespace {

constexpr std::string_view kMask = "***";
// What ends a local part to the left, unless quotes enclose it. "=" does not: it is in the addresses of forwarders
// and lists, bounce+anna=example.com@lists.example.
constexpr std::string_view kEnds = " \t\r\n<>()[]{},;:|`@";

// Of UTF-8, so of four bytes at most; any other byte counts as one.
std::string_view first_character(std::string_view text) {
  std::size_t length = std::min<std::size_t>(1, text.size());
  while (length < std::min<std::size_t>(4, text.size()) &&
         (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80)
    ++length;
  return text.substr(0, length);
}

std::string masked(std::string_view local_part) {
  const bool has_no_first = local_part.starts_with('"') || local_part == kMask;
  return has_no_first ? std::string(kMask) : cat(first_character(local_part), kMask);
}

// Whether a domain or an address literal begins here.
bool begins_domain(std::string_view text) {
  return !text.empty() && (is_alpha(text[0]) || is_digit(text[0]) || text[0] == '[' || text[0] == '\\' ||
                           static_cast<unsigned char>(text[0]) >= 0x80);
}

// Where the quoted string that ends `text` begins; its end if it is not one.
std::size_t begin_of_quoted(std::string_view text) {
  for (std::size_t at = text.size() - 1; at > 0; --at)
    if (text[at - 1] == '"' && (at < 2 || text[at - 2] != '\\')) return at - 1;
  return text.size();
}

// Where the local part that ends `text` begins; its end if there is none.
std::size_t begin_of_local_part(std::string_view text) {
  if (text.ends_with('"')) return begin_of_quoted(text);
  std::size_t begin = text.find_last_of(kEnds);
  begin = begin == text.npos ? 0 : begin + 1;
  while (begin < text.size() && (text[begin] == '\'' || text[begin] == '"')) ++begin;
  return begin;
}

}  // namespace

std::string mask_address(std::string_view address) {
  if (address.empty()) return {};
  const std::size_t at = address.rfind('@');
  return at == address.npos ? masked(address) : cat(masked(address.substr(0, at)), address.substr(at));
}

std::string mask_addresses(std::string_view text) {
  std::string shown;
  std::size_t done = 0;
  for (std::size_t at = text.find('@'); at != text.npos; at = text.find('@', at + 1)) {
    if (!begins_domain(text.substr(at + 1))) continue;
    const std::string_view before = text.substr(done, at - done);
    const std::size_t begin = before.empty() ? 0 : begin_of_local_part(before);
    if (begin == before.size()) continue;
    shown += cat(before.substr(0, begin), masked(before.substr(begin)));
    done = at;
  }
  return shown.append(text, done);
}

}  // namespace hikyaku::log
