// SPDX-License-Identifier: MIT
// The spool's name for a mail: 64 bits, growing for ever, never assigned twice. People see it as 13
// characters.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace hikyaku::mail {

struct MailId {
  std::uint64_t value = 0;  // 0 is no mail
  constexpr auto operator<=>(const MailId&) const = default;
};

// Crockford's base 32, lower case, most significant digit first; sorts as the ids do.
std::string to_text(MailId id);
std::optional<MailId> parse_mail_id(std::string_view text);

}  // namespace hikyaku::mail

template <>
struct std::hash<hikyaku::mail::MailId> {
  std::size_t operator()(hikyaku::mail::MailId id) const noexcept {
    return std::hash<std::uint64_t>{}(id.value);
  }
};
