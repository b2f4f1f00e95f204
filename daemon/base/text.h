// SPDX-License-Identifier: MIT
// Small pure functions over bytes and text. ASCII only where case matters: SMTP is (RFC 5321 2.4).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hikyaku {

// Joins its arguments, which are anything that converts to std::string_view.
template <class... Parts>
std::string cat(const Parts&... parts) {
  std::string joined;
  joined.reserve((std::string_view(parts).size() + ... + 0));
  (joined.append(std::string_view(parts)), ...);
  return joined;
}

constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
constexpr char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return to_lower(c) >= 'a' && to_lower(c) <= 'z'; }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }
// Of a hexadecimal digit in either case; nullopt for any other character.
constexpr std::optional<unsigned> hex_value(char c) {
  if (is_digit(c)) return static_cast<unsigned>(c - '0');
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? std::optional(static_cast<unsigned>(lower - 'a') + 10) : std::nullopt;
}
// Lower-case hexadecimal digits, two for each byte.
std::string to_hex(std::span<const unsigned char> bytes);

std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);
bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);

// Without leading and trailing blanks (space, tab). The result is a view into `text`.
std::string_view trim(std::string_view text);
// The parts between separators, empty ones included; views into `text`.
std::vector<std::string_view> split(std::string_view text, char separator);
// The runs of non-blanks; views into `text`.
std::vector<std::string_view> words(std::string_view text);
std::string join(const std::vector<std::string>& parts, std::string_view separator);

// Decimal digits only, no sign, no blanks; nullopt on overflow or for an empty text.
std::optional<std::uint64_t> parse_number(std::string_view digits);

// The one place that makes foreign bytes fit for a log line, a terminal or a bounce: printable ASCII and
// valid UTF-8 pass; anything else (controls, C1, U+2028, broken UTF-8) becomes \xNN or \u{N}; a backslash
// becomes \\. At most `limit` bytes, then "…".
std::string printable(std::string_view foreign, std::size_t limit = 1024);
// For a text of which some parts have been through printable() already: existing escapes stay, and anything
// else that is not printable is escaped. A printable text is returned unchanged.
std::string still_printable(std::string_view text, std::size_t limit = 1024);
bool is_valid_utf8(std::string_view text);
bool is_ascii(std::string_view text);

// The edit distance (letters added, dropped, changed, or swapped with their neighbour) from a to b, ignoring
// case; for "did you mean".
std::size_t edit_distance(std::string_view a, std::string_view b);
// The candidate nearest to `word` if it is near enough to be a typing error, else nullopt.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace hikyaku
