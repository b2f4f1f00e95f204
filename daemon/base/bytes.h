// SPDX-License-Identifier: MIT
// Sizes and durations as people write them in a configuration: 64KiB, 50MiB; 500ms, 30s, 5m, 4h, 5d.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"

namespace hikyaku {

struct ByteSize {
  std::uint64_t bytes = 0;
  constexpr auto operator<=>(const ByteSize&) const = default;
};

constexpr ByteSize operator""_KiB(unsigned long long n) { return {n << 10}; }
constexpr ByteSize operator""_MiB(unsigned long long n) { return {n << 20}; }
constexpr ByteSize operator""_GiB(unsigned long long n) { return {n << 30}; }

// A whole number with B, KiB, MiB or GiB. nullopt on overflow, another unit, or no unit (unless it is 0).
std::optional<ByteSize> parse_size(std::string_view text);
// A whole number with ms, s, m, h or d. nullopt on overflow, another unit, or no unit (unless it is 0).
std::optional<Duration> parse_duration(std::string_view text);
// "64KiB", "50MiB": the largest unit that divides it.
std::string to_text(ByteSize size);

}  // namespace hikyaku
