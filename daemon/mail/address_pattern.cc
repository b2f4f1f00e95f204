// SPDX-License-Identifier: MIT
#include "daemon/mail/address_pattern.h"

#include <algorithm>

#include "daemon/base/text.h"
#include "daemon/mail/address.h"
#include "daemon/mail/aliases.h"

namespace hikyaku::mail {
namespace {

constexpr std::string_view kAll = "*";
constexpr std::string_view kNobody = "<>";
constexpr std::string_view kAnyUser = "*@";
constexpr std::string_view kBelow = "*.";
constexpr std::string_view kExpected =
    "must be an address such as user@example.com, \"*@example.com\" for all of a domain, \"*@*.example.com\" "
    "for "
    "the domains below it, \"<>\" for the null sender, or \"*\"";

constexpr std::string_view kBareDomain =
    "must say whose addresses, too: \"*@example.com\" means all at example.com";
constexpr std::string_view kLastDot = "must not end with a dot";

bool is_domain_or_literal(std::string_view text) { return is_domain(text, true) || is_address_literal(text); }

// Does not repeat what was written: it may be a misplaced password.
std::unexpected<std::string> wrong(std::string_view text) {
  const std::string_view domain = text.substr(text.starts_with('@') ? 1 : 0);
  const bool is_bare = is_domain(domain, true) && domain.find('.') != domain.npos;
  const bool has_last_dot = text.ends_with('.') && text.find('@') != text.npos;
  return std::unexpected(std::string(is_bare ? kBareDomain : has_last_dot ? kLastDot : kExpected));
}

// Whether it is an address and nothing but that: no route, brackets or blanks, and one "@" outside quotes.
bool is_plain_address(std::string_view text) {
  auto path = parse_path(text, {.default_domain = {}, .smtputf8 = true});
  return path && path->address == text;
}

}  // namespace

Result<AddressPattern, std::string> AddressPattern::parse(std::string_view text) {
  if (text == kAll) return all();
  if (text == kNobody) return AddressPattern(text, Users::nobody, Domains::any);
  return text.starts_with(kAnyUser) ? parse_domain(text) : parse_address(text);
}

Result<AddressPattern, std::string> AddressPattern::parse_domain(std::string_view text) {
  std::string_view domain = text.substr(kAnyUser.size());
  const bool is_below = domain.starts_with(kBelow);
  if (is_below) domain.remove_prefix(kBelow.size());
  if (is_below ? !is_domain(domain, true) : !is_domain_or_literal(domain)) return wrong(text);
  AddressPattern pattern(text, Users::all, is_below ? Domains::below : Domains::exactly);
  pattern.domain_ = cat(is_below ? "." : "", to_lower(domain));
  return pattern;
}

// A star elsewhere is none: who writes "shop-*@example.com" means more than one address.
Result<AddressPattern, std::string> AddressPattern::parse_address(std::string_view text) {
  const std::string_view user = local_part_of(text);
  if (!is_plain_address(text) || (user.find('*') != user.npos && !user.starts_with('"'))) return wrong(text);
  AddressPattern pattern(text, Users::one, Domains::exactly);
  pattern.user_ = alias_key(user);
  pattern.domain_ = to_lower(domain_of(text));
  return pattern;
}

bool AddressPattern::matches(std::string_view address) const {
  if (domains_ == Domains::any) return users_ == Users::all || address.empty();
  if (!has_domain(domain_of(address)) || !is_plain_address(address)) return false;
  return users_ == Users::all || alias_key(local_part_of(address)) == user_;
}

bool AddressPattern::has_domain(std::string_view domain) const {
  if (domains_ == Domains::exactly) return equals_ignoring_case(domain, domain_);
  return domain.size() > domain_.size() && to_lower(domain).ends_with(domain_);
}

bool matches_any(const AddressPatterns& patterns, std::string_view address) {
  return std::ranges::any_of(patterns, [address](const AddressPattern& one) { return one.matches(address); });
}

std::string to_text(const AddressPatterns& patterns) {
  std::vector<std::string> texts;
  for (const AddressPattern& pattern : patterns) texts.push_back(pattern.text());
  return join(texts, ", ");
}

}  // namespace hikyaku::mail
