// SPDX-License-Identifier: MIT
// What holds where the configuration says nothing: the defaults of the settings (daemon/config/settings.h)
// and of the parts that obey them, which programs and tests also use without a configuration.
#pragma once

#include <cstdint>
#include <string_view>

#include "daemon/base/bytes.h"
#include "daemon/base/clock.h"

namespace hikyaku::defaults {

// Places.
inline constexpr Duration kLease = std::chrono::seconds(30);  // of a node of a shared spool
inline constexpr Duration kTakeover = std::chrono::minutes(2);
inline constexpr std::string_view kSpoolDirectory = "/var/spool/hikyaku";
inline constexpr std::string_view kRuntimeDirectory = "/run/hikyaku";
inline constexpr std::string_view kOAuthDirectory = "/var/lib/hikyaku/oauth";
inline constexpr std::string_view kAliases = "/etc/aliases";

// Of one message.
inline constexpr ByteSize kMaxSize = 50_MiB;
inline constexpr std::uint32_t kMaxRecipients = 1000;
inline constexpr std::uint32_t kMaxHops = 50;  // Received fields

// Connections of clients at a time.
inline constexpr std::uint32_t kConnections = 1000;
inline constexpr std::uint32_t kConnectionsPerClient = 50;

// The spool.
inline constexpr ByteSize kMinFree = 64_MiB;  // of its disk
inline constexpr ByteSize kSegmentSize = 64_MiB;
inline constexpr ByteSize kMemory = 64_MiB;

// The queue.
inline constexpr Duration kLifetime = 5 * 24h;
inline constexpr Duration kDelayNotice = 4h;
inline constexpr Duration kFirstRetry = 30s;
inline constexpr double kRetryFactor = 2;
inline constexpr Duration kLongestRetry = 1h;

}  // namespace hikyaku::defaults
