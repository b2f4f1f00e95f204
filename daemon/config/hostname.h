// SPDX-License-Identifier: MIT
// Host names: the names of this machine, used if the configuration gives none, and names, addresses and
// ports as people write them in the configuration and in authinfo.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace hikyaku::config {

// The sources of the names.
struct NameSources {
  std::string kernel;           // of uname(2)
  std::string hostname_file{};  // the texts of /etc/hostname, /etc/hosts and /etc/mailname
  std::string hosts_file{};
  std::string mailname_file{};
  // Asks the resolver for the full name of a short one, "" if there is none; called only if no other source
  // has one.
  std::function<std::string(const std::string& short_name)> full_name{};
};

// For EHLO and Received: the fullest name that the kernel, the files and finally the resolver know. If
// there is no usable name: "[127.0.0.1]", since servers refuse "localhost" but accept an address literal
// (RFC 5321 4.1.3).
std::string choose_hostname(const NameSources& sources);
// For addresses without a domain: the name in /etc/mailname; empty unless that is a full name.
std::string choose_mail_name(std::string_view mailname_file);
// Whether the name has a dot and is not localhost: other machines may know it.
bool is_full_name(std::string_view name);

// The names of this machine. default_hostname() blocks for at most three seconds, if it asks the resolver.
std::string default_hostname();
std::string default_mail_name();

// A DNS name (letters, digits and hyphens as in RFC 1123, and the underscore that some use), no trailing dot.
bool is_host_name(std::string_view text);
// "localhost" or "localhost.localdomain".
bool is_localhost(std::string_view name);

// "smtp.example.com", "[smtp.example.com]", "192.0.2.1", "[2001:db8::1]", "2001:db8::1": lower case, no
// brackets.
std::optional<std::string> parse_host(std::string_view text);

// Whether a host that parse_host() takes stands in brackets or is an address: such a one is used as it is, and
// never looked up as MX.
bool is_exact_host(std::string_view text);

// 1 to 65535, or smtp, submission, submissions, smtps, ssmtp.
std::optional<std::uint16_t> parse_port(std::string_view text);

struct HostPort {
  std::string host;
  std::optional<std::uint16_t> port;
};

// parse_host(), then an optional ":port"; an IPv6 address with a port needs its brackets.
std::optional<HostPort> parse_host_port(std::string_view text);

}  // namespace hikyaku::config
