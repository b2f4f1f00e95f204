// SPDX-License-Identifier: MIT
#include "daemon/mail/mail_id.h"

#include "daemon/base/text.h"

namespace hikyaku::mail {
namespace {

constexpr std::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t kLength = 13;  // 64 bits, five a digit

}  // namespace

std::string to_text(MailId id) {
  std::string text(kLength, '0');
  for (std::size_t i = kLength; i-- > 0; id.value >>= 5) text[i] = kDigits[id.value & 31];
  return text;
}

std::optional<MailId> parse_mail_id(std::string_view text) {
  if (text.size() != kLength || text[0] > 'f') return std::nullopt;
  std::uint64_t value = 0;
  for (char c : text) {
    std::size_t digit = kDigits.find(to_lower(c));
    if (digit == kDigits.npos) return std::nullopt;
    value = value << 5 | digit;
  }
  return MailId{value};
}

}  // namespace hikyaku::mail
