// SPDX-License-Identifier: MIT
// Reads the configuration: YAML in, settings or all problems at once out. An unknown key, a wrong type or a
// value out of range is a problem, never a guess. Bounded: a file of at most 1 MiB, no alias expansion.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/error.h"
#include "daemon/config/authinfo.h"
#include "daemon/config/environment.h"
#include "daemon/config/problem.h"
#include "daemon/config/settings.h"
#include "daemon/mail/aliases.h"

namespace hikyaku::config {

inline constexpr const char* kDefaultConfig = "/etc/hikyaku/hikyaku.yaml";

// Every key of the configuration with its path, such as "hostname" and "spool.directory". A smarthost
// counts as one value.
std::vector<std::string> setting_keys();

// The source of defaults that depend on the machine; tests pass fixed ones.
struct Environment {
  std::string hostname;     // default_hostname() of hostname.h
  std::string mail_name{};  // default_mail_name(), for `domain`; empty: that is the hostname
};

Result<Settings, Problems> load_text(std::string_view text, const std::string& file_name,
                                     const Environment& environment);
// The file; or, where the default one is missing, what the variables say. Blocks.
Result<Source, Problems> find_source(const std::string& path, const Variables& variables);
// find_source(), with this machine's own environment. Blocks.
Result<Settings, Problems> load_file(const std::string& path);
// The valid settings of a file that has problems, and defaults for the rest. For finding a daemon that runs
// with an earlier version of the file; never to run with.
Settings understandable_settings(const std::string& path);

// The aliases file; mail/alias_file.h says what its lines mean.
struct LoadedAliases {
  mail::Aliases aliases;  // what could be understood
  Problems problems;      // with file and line
};

// A missing file has no aliases; it is a problem if the configuration names it. A file that others may
// write is not read, because its writer could redirect root's mail. Blocks.
LoadedAliases load_aliases(const AliasesSettings& settings);

// The problems that load_file() does not see, for `hikyakud --check`: files named by the configuration that
// are missing or cannot be read. Does not parse certificates; daemon/app does that with the TLS library.
// Blocks.
Problems check_configuration(const Settings& settings, const AuthinfoReader& reader);

}  // namespace hikyaku::config
