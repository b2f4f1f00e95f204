// SPDX-License-Identifier: MIT
// Where the daemon is and what it takes: the small file that it writes at start and reload
// (<spool.directory>/sendmail.conf), or what is compiled in. sendmail(1) reads no other configuration.
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
  std::uint64_t max_size = defaults::kMaxSize.bytes;      // bytes
  std::size_t max_recipients = defaults::kMaxRecipients;  // of one mail
  std::uint64_t min_free = defaults::kMinFree.bytes;      // bytes of the spool's disk that drops leave free
  bool operator==(const DaemonInfo&) const = default;
};

inline constexpr std::string_view kDaemonInfoFile = "/var/spool/hikyaku/sendmail.conf";

// Nothing unless it begins with the line "hikyaku-sendmail 1". Unknown keys and values that make no sense are
// passed over: a mail is worth more than a complaint. Pure.
std::optional<DaemonInfo> parse_daemon_info(std::string_view text);

// Of `path` if it is such a file, else of kDaemonInfoFile, else what is compiled in. Reads regular files only, at
// most 64 KiB, and repeats nothing of them anywhere: `path` may be somebody's secret.
DaemonInfo find_daemon_info(const std::string& path);

}  // namespace hikyaku::sendmail
