// SPDX-License-Identifier: MIT
// Pieces of JSON (RFC 8259). Pure.
#pragma once

#include <string>
#include <string_view>

namespace hikyaku {

// With its quotes. What is not UTF-8 becomes U+FFFD, since JSON has no other way to hold it.
std::string json_string(std::string_view text);

}  // namespace hikyaku
