// SPDX-License-Identifier: MIT
// The spool's id of a mail: 64 bits, always increasing, never assigned twice. Shown as 13 characters.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace hikyaku::mail {

struct MailId {
  std::uint64_t value = 0;  // 0: not a mail
  constexpr auto operator<=>(const MailId&) const = default;
};

// Crockford's base 32, lower case, most significant digit first; sorts like the ids.
std::string to_text(MailId id);
std::optional<MailId> parse_mail_id(std::string_view text);

}  // namespace hikyaku::mail

template <>
struct std::hash<hikyaku::mail::MailId> {
  std::size_t operator()(hikyaku::mail::MailId id) const noexcept {
    return std::hash<std::uint64_t>{}(id.value);
  }
};
