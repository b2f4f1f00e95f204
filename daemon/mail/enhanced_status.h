// SPDX-License-Identifier: MIT
// Enhanced mail system status codes (RFC 3463, RFC 2034): "5.1.1". Plain values, no state between two parses.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hikyaku::mail {

struct EnhancedStatus {
  std::uint16_t status_class = 0;  // 2 success, 4 persistent transient, 5 permanent
  std::uint16_t subject = 0;       // at most three digits each
  std::uint16_t detail = 0;
  bool operator==(const EnhancedStatus&) const = default;
};

// From the beginning of a reply's text: "5.1.1 user unknown". Nothing unless the code is complete, its class
// is 2, 4 or 5, and something other than a letter, a digit or a dot follows: "5", "5.1", "5.1.1.9 is blocked"
// have none.
std::optional<EnhancedStatus> parse_enhanced_status(std::string_view text);
std::string to_text(EnhancedStatus status);

}  // namespace hikyaku::mail
