// SPDX-License-Identifier: MIT
// The daemon's addresses and limits: from the small file that the daemon writes at start and reload
// (<spool.directory>/sendmail.conf), or the built-in defaults. sendmail(1) reads no other configuration.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/defaults.h"

namespace hikyaku::sendmail {

struct DaemonInfo {
  std::string submit_socket = std::string(defaults::kRuntimeDirectory) + "/submit.sock";
  std::string control_socket = std::string(defaults::kRuntimeDirectory) + "/control.sock";
  std::string drop = std::string(defaults::kSpoolDirectory) + "/drop";
  std::string listen = "127.0.0.1:25";
  std::string hostname = "localhost";
  std::string domain = "localhost";
  std::string aliases = std::string(defaults::kAliases);
  std::string
      local_mail{};  // where mail to users of this machine goes that no alias names; empty: nowhere else
  std::uint64_t max_size = defaults::kMaxSize.bytes;      // bytes
  std::size_t max_recipients = defaults::kMaxRecipients;  // of one mail
  std::uint64_t min_free = defaults::kMinFree.bytes;  // bytes of the spool's disk that drafts must leave free
  bool operator==(const DaemonInfo&) const = default;
};

inline constexpr std::string_view kDaemonInfoFile = "/var/spool/hikyaku/sendmail.conf";

// Returns nullopt unless the text begins with the line "hikyaku-sendmail 1". Ignores unknown keys and invalid
// values, because sending the mail matters more than a complaint. Pure.
std::optional<DaemonInfo> parse_daemon_info(std::string_view text);

// Reads `path` if it is such a file, else kDaemonInfoFile, else returns the defaults. Reads only regular
// files, at most 64 KiB, and never prints anything from them, because `path` may be somebody's secret.
DaemonInfo find_daemon_info(const std::string& path);

}  // namespace hikyaku::sendmail
