// SPDX-License-Identifier: MIT
#include "daemon/base/bytes.h"

#include <limits>
#include <utility>

#include "daemon/base/text.h"

namespace hikyaku {
namespace {

template <std::size_t N>
std::optional<std::uint64_t> parse_with_unit(std::string_view text,
                                             const std::pair<std::string_view, std::uint64_t> (&units)[N],
                                             std::uint64_t largest) {
  if (text == "0") return 0;
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  auto number = parse_number(text.substr(0, digits));
  if (!number) return std::nullopt;
  for (const auto& [unit, factor] : units) {
    if (text.substr(digits) != unit) continue;
    if (*number > largest / factor) return std::nullopt;
    return *number * factor;
  }
  return std::nullopt;
}

}  // namespace

std::optional<ByteSize> parse_size(std::string_view text) {
  static constexpr std::pair<std::string_view, std::uint64_t> kUnits[] = {
      {"B", 1}, {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}};
  auto bytes = parse_with_unit(text, kUnits, std::numeric_limits<std::int64_t>::max());
  if (!bytes) return std::nullopt;
  return ByteSize{*bytes};
}

std::optional<Duration> parse_duration(std::string_view text) {
  static constexpr std::pair<std::string_view, std::uint64_t> kUnits[] = {
      {"ms", 1'000}, {"s", 1'000'000}, {"m", 60'000'000}, {"h", 3'600'000'000}, {"d", 86'400'000'000}};
  auto microseconds = parse_with_unit(text, kUnits, std::numeric_limits<std::int64_t>::max() / 4);
  if (!microseconds) return std::nullopt;
  return Duration(static_cast<Duration::rep>(*microseconds));
}

std::string to_text(ByteSize size) {
  static constexpr std::pair<std::string_view, int> kUnits[] = {{"GiB", 30}, {"MiB", 20}, {"KiB", 10}};
  for (const auto& [unit, shift] : kUnits)
    if (size.bytes != 0 && size.bytes % (1ULL << shift) == 0)
      return cat(std::to_string(size.bytes >> shift), unit);
  return cat(std::to_string(size.bytes), "B");
}

}  // namespace hikyaku
