// SPDX-License-Identifier: MIT
// How much is logged and how it looks: words that configuration and log share without knowing each other.
#pragma once

#include <cstdint>

namespace hikyaku {

enum class LogLevel : std::uint8_t { error, warning, info, debug };  // each includes those before it
enum class LogFormat : std::uint8_t { text, json, postfix };
enum class LogAddresses : std::uint8_t { plain, masked };  // masked: "a***@example.com"

}  // namespace hikyaku
