// SPDX-License-Identifier: MIT
#include "daemon/mail/enhanced_status.h"

#include "daemon/base/text.h"

namespace hikyaku::mail {
namespace {

// Takes one to three digits off the front of `text`.
std::optional<std::uint16_t> take_number(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && is_digit(text[length])) ++length;
  if (length == 0 || length > 3) return std::nullopt;
  auto number = parse_number(text.substr(0, length));
  text.remove_prefix(length);
  return static_cast<std::uint16_t>(*number);
}

bool take_dot(std::string_view& text) {
  if (!text.starts_with('.')) return false;
  text.remove_prefix(1);
  return true;
}

bool may_follow(char c) { return c != '.' && !is_digit(c) && !is_alpha(c); }

}  // namespace

std::optional<EnhancedStatus> parse_enhanced_status(std::string_view text) {
  auto status_class = take_number(text);
  if (!status_class || (*status_class != 2 && *status_class != 4 && *status_class != 5)) return std::nullopt;
  if (!take_dot(text)) return std::nullopt;
  auto subject = take_number(text);
  if (!subject || !take_dot(text)) return std::nullopt;
  auto detail = take_number(text);
  if (!detail || (!text.empty() && !may_follow(text.front()))) return std::nullopt;
  return EnhancedStatus{*status_class, *subject, *detail};
}

std::string to_text(EnhancedStatus status) {
  return cat(std::to_string(status.status_class), ".", std::to_string(status.subject), ".",
             std::to_string(status.detail));
}

}  // namespace hikyaku::mail
