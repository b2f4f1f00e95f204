// SPDX-License-Identifier: MIT
// YAML in; settings or all problems at once out. Nothing that is half understood comes out as settings: an
// unknown key, a wrong type or a value out of range is a problem, never a guess. The only place of yaml-cpp,
// whose exceptions end here. Bounded: a file of at most 1 MiB, no alias expansion.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/error.h"
#include "daemon/config/authinfo.h"
#include "daemon/config/problem.h"
#include "daemon/config/settings.h"
#include "daemon/mail/aliases.h"

namespace hikyaku::config {

inline constexpr const char* kDefaultConfig = "/etc/hikyaku/hikyaku.yaml";

// Every key of the configuration with its path: "hostname", "spool.directory". Those of a smarthost are its
// own affair.
std::vector<std::string> setting_keys();

// What defaults are taken from; tests pass fixed ones.
struct Environment {
  std::string hostname;     // default_hostname() of hostname.h
  std::string mail_name{};  // default_mail_name(), for `domain`; empty: that is the hostname
};

Result<Settings, Problems> load_text(std::string_view text, const std::string& file_name,
                                     const Environment& environment);
// With this machine's own environment. Blocks.
Result<Settings, Problems> load_file(const std::string& path);
// What can be understood of a file that has problems, the rest as it is by default. Good for finding a daemon
// that runs with an earlier version of the file; never to run with.
Settings understandable_settings(const std::string& path);

// The aliases file as it lies on the disk. What it means is mail/alias_file.h's affair.

struct LoadedAliases {
  mail::Aliases aliases;  // what could be understood
  Problems problems;      // with file and line
};

// A missing file has no aliases; where the configuration names it, that is a problem. One that anybody may
// write is not read: whoever writes it gets root's mail. Blocks.
LoadedAliases load_aliases(const AliasesSettings& settings);

// `hikyakud --check`, beyond what load_file() sees: whether the files that the configuration names are there and
// can be read. Changes nothing. Does not parse certificates; daemon/app does that with the TLS library.
// Blocks.

// Empty: all is well.
Problems check_configuration(const Settings& settings, const AuthinfoReader& reader);

}  // namespace hikyaku::config
