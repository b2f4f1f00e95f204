// SPDX-License-Identifier: MIT
#include "daemon/mail/drop_format.h"

#include <algorithm>
#include <charconv>

#include "daemon/base/text.h"

namespace hikyaku::mail {
namespace {

constexpr std::string_view kMagic = "hikyaku-drop 1 ";
constexpr std::size_t kLengthDigits = 20;
constexpr std::size_t kChecksumDigits = 16;
constexpr std::size_t kTimeDigits = 16;
constexpr std::size_t kLongestPid = 10;
constexpr std::size_t kRandomDigits = 8;
constexpr std::string_view kContent = "BDAT ";
constexpr std::string_view kLast = " LAST";

static_assert(kDropHeader == kMagic.size() + kLengthDigits + 1 + kChecksumDigits + 1);

bool is_hex_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }
bool are_hex(std::string_view text) { return std::ranges::all_of(text, is_hex_digit); }

std::string digits(std::uint64_t value, int base, std::size_t width) {
  char text[kLengthDigits];
  auto end = std::to_chars(text, text + sizeof text, value, base).ptr;
  const std::string_view bare(text, end);
  return cat(std::string(width - bare.size(), '0'), bare);
}

std::optional<std::uint64_t> hex_number(std::string_view text) {
  std::uint64_t value = 0;
  if (!are_hex(text)) return std::nullopt;
  auto parsed = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return parsed.ec == std::errc() ? std::optional(value) : std::nullopt;
}

}  // namespace

std::string encode_drop_header(const DropHeader& header) {
  return cat(kMagic, digits(header.length, 10, kLengthDigits), " ",
             digits(header.checksum, 16, kChecksumDigits), "\n");
}

std::optional<DropHeader> decode_drop_header(std::string_view bytes) {
  if (bytes.size() != kDropHeader || !bytes.starts_with(kMagic)) return std::nullopt;
  auto length = parse_number(bytes.substr(kMagic.size(), kLengthDigits));
  auto checksum = hex_number(bytes.substr(kDropHeader - 1 - kChecksumDigits, kChecksumDigits));
  if (!length || !checksum) return std::nullopt;
  const DropHeader header{*length, *checksum};
  return encode_drop_header(header) == bytes ? std::optional(header) : std::nullopt;
}

std::string drop_content_line(std::uint64_t content_length) {
  return cat(kContent, digits(content_length, 10, kLengthDigits), kLast);
}

bool is_drop_name(std::string_view name) {
  auto parts = split(name, '.');
  if (parts.size() != 3) return false;
  const bool is_pid =
      !parts[1].empty() && parts[1].size() <= kLongestPid && std::ranges::all_of(parts[1], is_digit);
  return parts[0].size() == kTimeDigits && are_hex(parts[0]) && is_pid && parts[2].size() == kRandomDigits &&
         are_hex(parts[2]);
}

WallTime drop_time(std::string_view name) {
  std::uint64_t microseconds = 0;
  std::from_chars(name.data(), name.data() + std::min(name.size(), kTimeDigits), microseconds, 16);
  constexpr auto kEnd = static_cast<std::uint64_t>(INT64_MAX);
  return WallTime(Duration(static_cast<std::int64_t>(std::min(microseconds, kEnd))));
}

std::optional<DropCommands::Part> DropCommands::next(std::string_view line) {
  if (line.size() > kMaxLine) return std::nullopt;
  if (came_ == Came::nothing && starts_with_ignoring_case(line, "MAIL FROM:")) {
    came_ = Came::mail;
    return Part::mail;
  }
  if ((came_ == Came::mail || came_ == Came::recipient) && starts_with_ignoring_case(line, "RCPT TO:")) {
    came_ = Came::recipient;
    return Part::recipient;
  }
  if (came_ != Came::recipient || !line.starts_with(kContent)) return std::nullopt;
  auto length = parse_number(line.substr(kContent.size(), kLengthDigits));
  if (!length || line != drop_content_line(*length)) return std::nullopt;
  came_ = Came::content;
  content_length_ = *length;
  return Part::content;
}

}  // namespace hikyaku::mail
