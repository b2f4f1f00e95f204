// SPDX-License-Identifier: MIT
#include "daemon/dns/domain_name.h"

#include <idn2.h>

#include <algorithm>

#include "daemon/base/text.h"

namespace hikyaku::dns {
namespace {

constexpr std::size_t kMostName = 253;  // as text
constexpr std::size_t kMostLabel = 63;

bool is_label(std::string_view label) {
  auto fits = [](char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '_'; };
  return !label.empty() && label.size() <= kMostLabel && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, fits);
}

std::optional<std::string> converted(const std::string& domain) {
  char* ascii = nullptr;
  const bool is_good =
      idn2_to_ascii_8z(domain.c_str(), &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK;
  std::optional<std::string> result;
  if (is_good) result = ascii;
  idn2_free(ascii);
  return result;
}

}  // namespace

bool is_host_name(std::string_view name) {
  return name.size() <= kMostName && std::ranges::all_of(split(name, '.'), is_label);
}

std::optional<std::string> to_a_labels(std::string_view domain) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  if (domain.find('\0') != domain.npos) return std::nullopt;
  auto ascii = is_ascii(domain) ? std::optional(to_lower(domain)) : converted(std::string(domain));
  return ascii && is_host_name(*ascii) ? ascii : std::nullopt;
}

std::optional<IpAddress> parse_address_literal(std::string_view domain) {
  if (!domain.starts_with('[') || !domain.ends_with(']')) return std::nullopt;
  std::string_view inner = domain.substr(1, domain.size() - 2);
  if (starts_with_ignoring_case(inner, "IPv6:")) inner.remove_prefix(5);
  return IpAddress::parse(inner);
}

}  // namespace hikyaku::dns
