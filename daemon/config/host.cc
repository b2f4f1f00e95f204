// SPDX-License-Identifier: MIT
#include "daemon/config/host.h"

#include <algorithm>
#include <utility>

#include "daemon/base/ip.h"
#include "daemon/base/text.h"

namespace hikyaku::config {
namespace {

bool is_label(std::string_view label) {
  bool plain =
      std::ranges::all_of(label, [](char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '_'; });
  return plain && !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-';
}

bool is_bracketed(std::string_view text) { return text.starts_with('[') && text.ends_with(']'); }

}  // namespace

bool is_host_name(std::string_view text) {
  auto labels = split(text, '.');
  // An all-digit last label is a broken address, not a name (RFC 1123 2.1).
  return text.size() <= 253 && std::ranges::all_of(labels, is_label) &&
         !std::ranges::all_of(labels.back(), [](char c) { return is_digit(c); });
}

bool is_localhost(std::string_view name) {
  return equals_ignoring_case(name, "localhost") || starts_with_ignoring_case(name, "localhost.");
}

std::optional<std::string> parse_host(std::string_view text) {
  if (is_bracketed(text)) text = text.substr(1, text.size() - 2);
  if (auto address = IpAddress::parse(text)) return address->to_text();
  if (is_host_name(text)) return to_lower(text);
  return std::nullopt;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  static constexpr std::pair<std::string_view, std::uint16_t> kServices[] = {
      {"smtp", 25}, {"submission", 587}, {"submissions", 465}, {"smtps", 465}, {"ssmtp", 465}};
  for (const auto& [name, port] : kServices)
    if (equals_ignoring_case(text, name)) return port;
  auto number = parse_number(text);
  if (!number || *number == 0 || *number > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

std::optional<HostPort> parse_host_port(std::string_view text) {
  if (auto host = parse_host(text)) return HostPort{*host, std::nullopt};
  std::size_t colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  std::string_view name = text.substr(0, colon);
  auto host = parse_host(name);
  auto port = parse_port(text.substr(colon + 1));
  bool is_bare_v6 = name.find(':') != name.npos && !is_bracketed(name);
  if (!host || !port || is_bare_v6) return std::nullopt;
  return HostPort{*host, port};
}

}  // namespace hikyaku::config
