// SPDX-License-Identifier: MIT
#include "daemon/mail/message_id.h"

#include <algorithm>

#include "daemon/base/text.h"
#include "daemon/mail/address.h"

namespace hikyaku::mail {
namespace {

constexpr std::string_view kLastResort = "hikyaku.invalid";  // RFC 2606: belongs to nobody

bool is_below(std::string_view domain, std::string_view top) {
  std::string lower = to_lower(domain);
  return lower == top || lower.ends_with(cat(".", top));
}

bool is_fit(std::string_view domain) {
  return is_domain(domain) && !is_below(domain, "localhost") && !is_below(domain, "localdomain");
}

// "20261122031404"
std::string digits_of(WallTime now) {
  std::string time = to_rfc3339(now);
  std::erase_if(time, [](char c) { return !is_digit(c); });
  return time;
}

}  // namespace

std::string make_message_id(WallTime now, std::string_view random, std::string_view domain,
                            std::string_view fallback) {
  std::string_view right = is_fit(domain) ? domain : is_fit(fallback) ? fallback : kLastResort;
  return cat("<", digits_of(now), ".", random, "@", right, ">");
}

}  // namespace hikyaku::mail
