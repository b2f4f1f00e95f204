// SPDX-License-Identifier: MIT
// This machine's names, where the configuration gives none: one for EHLO and Received, and one for addresses
// without a domain.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace hikyaku::config {

// What the names are taken from.
struct NameSources {
  std::string kernel;           // of uname(2)
  std::string hostname_file{};  // the texts of /etc/hostname, /etc/hosts and /etc/mailname
  std::string hosts_file{};
  std::string mailname_file{};
  // The resolver's full name for a short one, or ""; asked only where nothing else has one.
  std::function<std::string(const std::string& short_name)> full_name{};
};

// The fullest name that the kernel, the files and, in the end, the resolver know; "[127.0.0.1]" where there
// is no usable one, because servers refuse "localhost" but accept an address literal (RFC 5321 4.1.3).
std::string choose_hostname(const NameSources& sources);
// What /etc/mailname says, for `domain`; empty unless it is a full name.
std::string choose_mail_name(std::string_view mailname_file);
// With a dot, and not localhost's: a name that others may know.
bool is_full_name(std::string_view name);

// Of this machine. default_hostname() blocks, for three seconds at most, where the resolver has to be asked.
std::string default_hostname();
std::string default_mail_name();

}  // namespace hikyaku::config
