// SPDX-License-Identifier: MIT
#include "daemon/base/text.h"

#include <algorithm>
#include <charconv>

#include "daemon/base/columns.h"

namespace hikyaku {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

// Line and paragraph separators, direction overrides and C1 controls can forge or hide what a terminal shows.
bool may_show(std::uint32_t c) {
  if (c < 0x20 || (c >= 0x7f && c < 0xa0)) return false;
  return !(c == 0x2028 || c == 0x2029 || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
           c == 0x200e || c == 0x200f || c == 0xfeff);
}

void append_escaped(std::string& out, unsigned char byte) {
  out += {'\\', 'x', kHexDigits[byte >> 4], kHexDigits[byte & 15]};
}

// The length of one of printable()'s escapes at the beginning of `text`; 0: there is none.
std::size_t escape_length(std::string_view text) {
  if (text.starts_with("\\\\")) return 2;
  const bool is_code_point = text.starts_with("\\u{");
  if (!is_code_point && !text.starts_with("\\x")) return 0;
  const std::size_t begin = is_code_point ? 3 : 2;
  const std::size_t end = std::min(text.find_first_not_of(kHexDigits, begin), text.size());
  if (!is_code_point) return end >= 4 ? 4 : 0;
  return end > begin && end - begin <= 6 && text.substr(end).starts_with('}') ? end + 1 : 0;
}

std::string escape(std::string_view foreign, std::size_t limit, bool keeps_escapes) {
  std::string out;
  for (std::size_t at = 0; at < foreign.size();) {
    if (out.size() >= limit) return out + "…";
    if (const std::size_t length = keeps_escapes ? escape_length(foreign.substr(at)) : 0; length != 0) {
      out += foreign.substr(at, length);
      at += length;
      continue;
    }
    CodePoint code = decode_utf8(foreign.substr(at));
    if (code.length == 0 || code.value < 0x20 || code.value == 0x7f) {
      append_escaped(out, static_cast<unsigned char>(foreign[at]));
      ++at;
      continue;
    }
    if (code.value == '\\') {
      out += "\\\\";
    } else if (may_show(code.value)) {
      out += foreign.substr(at, code.length);
    } else {
      char hex[8];
      auto [end, error] = std::to_chars(hex, hex + sizeof hex, code.value, 16);
      out += cat("\\u{", std::string_view(hex, static_cast<std::size_t>(end - hex)), "}");
    }
    at += code.length;
  }
  return out;
}

}  // namespace

std::string to_hex(std::span<const unsigned char> bytes) {
  std::string digits;
  digits.reserve(2 * bytes.size());
  for (unsigned char byte : bytes) digits += {kHexDigits[byte >> 4U], kHexDigits[byte & 15U]};
  return digits;
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) { return to_lower(c); });
  return lower;
}

std::string to_upper(std::string_view text) {
  std::string upper(text);
  std::ranges::transform(upper, upper.begin(), [](char c) { return to_upper(c); });
  return upper;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return to_lower(x) == to_lower(y); });
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0;;) {
    std::size_t end = text.find(separator, at);
    parts.push_back(text.substr(at, end == text.npos ? text.npos : end - at));
    if (end == text.npos) return parts;
    at = end + 1;
  }
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> found;
  while (!(text = trim(text)).empty()) {
    std::size_t length = 0;
    while (length < text.size() && !is_blank(text[length])) ++length;
    found.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return found;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string joined;
  for (const std::string& part : parts) {
    if (&part != &parts.front()) joined += separator;
    joined += part;
  }
  return joined;
}

std::optional<std::uint64_t> parse_number(std::string_view digits) {
  std::uint64_t value = 0;
  const char* end = digits.data() + digits.size();
  auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (digits.empty() || error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

std::string printable(std::string_view foreign, std::size_t limit) { return escape(foreign, limit, false); }

std::string still_printable(std::string_view text, std::size_t limit) { return escape(text, limit, true); }

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    CodePoint code = decode_utf8(text);
    if (code.length == 0) return false;
    text.remove_prefix(code.length);
  }
  return true;
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  auto same = [&](std::size_t i, std::size_t j) { return to_lower(a[i - 1]) == to_lower(b[j - 1]); };
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] = std::min({d[i - 1][j - 1] + (same(i, j) ? 0 : 1), d[i][j - 1] + 1, d[i - 1][j] + 1});
      bool swapped = i > 1 && j > 1 && same(i, j - 1) && same(i - 1, j);
      if (swapped) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::size_t best = std::max<std::size_t>(1, (word.size() + 1) / 3) + 1;
  std::optional<std::string> found;
  for (const std::string& candidate : candidates) {
    std::size_t distance = edit_distance(word, candidate);
    if (distance >= best) continue;
    best = distance;
    found = candidate;
  }
  return found;
}

}  // namespace hikyaku
