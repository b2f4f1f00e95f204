// SPDX-License-Identifier: MIT
// How many messages a smarthost takes in a time: "14/s", "30/min", "500/h", "10000/day".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"

namespace hikyaku::mail {

enum class RateUnit : std::uint8_t { second, minute, hour, day };
inline constexpr std::array<std::string_view, 4> kRateUnits{"s", "min", "h", "day"};
inline constexpr std::uint32_t kMaxRate = 1'000'000;

struct Rate {
  std::uint32_t count = 1;  // 1 to kMaxRate
  RateUnit unit = RateUnit::second;
  bool operator==(const Rate&) const = default;
};

Duration length(RateUnit unit);
std::optional<Rate> parse_rate(std::string_view text);
std::string to_text(const Rate& rate);

}  // namespace hikyaku::mail
