// SPDX-License-Identifier: MIT
// Base64 as RFC 4648 section 4 has it: with padding, no line breaks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hikyaku {

std::string to_base64(std::string_view bytes);
// nullopt if a character or the padding is wrong, or if the last character has stray bits. The decoded bytes
// may hold anything, NUL included.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace hikyaku
