// SPDX-License-Identifier: MIT
// Names, addresses and ports as people write them in the configuration and in authinfo. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hikyaku::config {

// A DNS name (RFC 1123 letters, digits, hyphens, and the underscore that is seen in the wild), no trailing
// dot.
bool is_host_name(std::string_view text);
// "localhost", "localhost.localdomain": no name to introduce oneself with.
bool is_localhost(std::string_view name);

// "smtp.example.com", "[smtp.example.com]", "192.0.2.1", "[2001:db8::1]", "2001:db8::1": lower case, no
// brackets.
std::optional<std::string> parse_host(std::string_view text);

// 1 to 65535, or smtp, submission, submissions, smtps, ssmtp.
std::optional<std::uint16_t> parse_port(std::string_view text);

struct HostPort {
  std::string host;
  std::optional<std::uint16_t> port;
};

// parse_host(), then an optional ":port"; an IPv6 address with a port needs its brackets.
std::optional<HostPort> parse_host_port(std::string_view text);

}  // namespace hikyaku::config
