// SPDX-License-Identifier: MIT
#include "daemon/mail/smarthost.h"

#include <algorithm>

#include "daemon/base/text.h"

namespace hikyaku::mail {

Duration length(RateUnit unit) {
  static constexpr std::array<Duration, 4> kLengths{1s, 1min, 1h, 24h};
  return kLengths[static_cast<std::size_t>(unit)];
}

std::optional<Rate> parse_rate(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  auto count = parse_number(text.substr(0, slash));
  if (!count || *count == 0 || *count > kMaxRate || slash == text.size()) return std::nullopt;
  const auto unit = std::ranges::find(kRateUnits, text.substr(slash + 1));
  if (unit == kRateUnits.end()) return std::nullopt;
  return Rate{static_cast<std::uint32_t>(*count), static_cast<RateUnit>(unit - kRateUnits.begin())};
}

std::string to_text(const Rate& rate) {
  return cat(std::to_string(rate.count), "/", kRateUnits[static_cast<std::size_t>(rate.unit)]);
}

}  // namespace hikyaku::mail
