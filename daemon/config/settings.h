// SPDX-License-Identifier: MIT
// The configuration as plain values, checked and complete: every default is filled in here or by load.h. What
// a key means for an operator stands in etc/hikyaku.yaml. No I/O, no YAML, no secrets but those that
// attach_credentials() (authinfo.h) has put into the smarthosts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/bytes.h"
#include "daemon/base/clock.h"
#include "daemon/base/defaults.h"
#include "daemon/base/ip.h"
#include "daemon/base/log_level.h"
#include "daemon/config/environment.h"
#include "daemon/config/listen.h"
#include "daemon/mail/address_pattern.h"
#include "daemon/mail/smarthost.h"

namespace hikyaku::config {

enum class AuthinfoMode : std::uint8_t {
  secret,  // nobody else may read the file
  any,     // whoever provides it answers for that
};

struct AuthinfoSettings {
  std::string path = "/etc/hikyaku/authinfo";
  bool is_explicit = false;                  // then the file must exist
  std::optional<mail::Credentials> given{};  // by the environment: no file is read
  AuthinfoMode mode = AuthinfoMode::secret;
  bool operator==(const AuthinfoSettings&) const = default;
};

struct AliasesSettings {
  std::string path = std::string(defaults::kAliases);
  bool is_explicit = false;  // then the file must exist, and nothing in it be wrong
  bool operator==(const AliasesSettings&) const = default;
};

// Among the fields that are signed: those that usually are.
inline constexpr std::string_view kUsualFields = "default";

// The keys that sign, DOMAIN/SELECTOR.key, and the fields that they sign.
struct DkimSettings {
  std::string directory = "/etc/hikyaku/dkim";
  bool is_explicit = false;  // then the directory must exist
  std::vector<std::string> headers{std::string(kUsualFields)};
  bool operator==(const DkimSettings&) const = default;
};

struct MessageSettings {
  ByteSize max_size = defaults::kMaxSize;
  std::uint32_t max_recipients = defaults::kMaxRecipients;
  std::uint32_t max_hops = defaults::kMaxHops;
  bool operator==(const MessageSettings&) const = default;
};

struct SpoolSettings {
  std::string directory = std::string(defaults::kSpoolDirectory);
  ByteSize min_free = defaults::kMinFree;
  ByteSize segment_size = defaults::kSegmentSize;  // 1 MiB to 1 GiB
  std::string
      url{};  // of a database that several daemons share, postgresql://…; empty: the mail is in `directory`
  Duration lease = defaults::kLease;        // a node that is not heard of for so long is dead
  Duration takeover = defaults::kTakeover;  // so long after that its mail is the others'
  bool operator==(const SpoolSettings&) const = default;
};

struct LimitSettings {
  std::uint32_t connections = defaults::kConnections;
  std::uint32_t per_client = defaults::kConnectionsPerClient;  // not for loopback and the Unix socket
  bool operator==(const LimitSettings&) const = default;
};

struct RetrySettings {
  Duration first = defaults::kFirstRetry;
  double factor = defaults::kRetryFactor;
  Duration max = defaults::kLongestRetry;
  bool operator==(const RetrySettings&) const = default;
};

// What becomes of other senders than a user's own over the Unix socket, and with sendmail(1)'s -f.
enum class SubmitOthers : std::uint8_t { allow, rewrite };

struct SubmitSettings {
  std::vector<std::string> trusted;  // users and groups, besides root and the daemon itself
  SubmitOthers others = SubmitOthers::allow;
  bool operator==(const SubmitSettings&) const = default;
};

enum class BounceReturn : std::uint8_t { headers, full };

struct QueueSettings {
  Duration lifetime = defaults::kLifetime;
  RetrySettings retry;
  Duration delay_notice = defaults::kDelayNotice;  // 0: none
  BounceReturn bounce_return = BounceReturn::headers;
  std::string postmaster;  // gets a copy of each bounce; empty: nobody
  bool operator==(const QueueSettings&) const = default;
};

// The members of `group` see the whole queue and may do everything over the control socket.
struct ControlSettings {
  std::string group = "adm";
  bool operator==(const ControlSettings&) const = default;
};

struct LogSettings {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
  LogAddresses addresses = LogAddresses::plain;
  bool operator==(const LogSettings&) const = default;
};

// A row of `routes`: mail from and to these goes to the first group that has a smarthost which is up; the
// smarthosts of a group share it.
struct RouteSettings {
  mail::AddressPatterns from{mail::AddressPattern::all()};
  mail::AddressPatterns to{mail::AddressPattern::all()};
  std::vector<std::vector<std::string>> via{};  // names
  bool operator==(const RouteSettings&) const = default;
};

struct Settings {
  std::string hostname;  // in EHLO and Received
  std::string domain;    // added to addresses without one
  std::string node;      // see node_name()
  ListenSettings listen;
  std::vector<Network> allow;
  std::vector<Network> peers;  // those of `allow` with `peer`: other hikyakus, whose mail keeps its times
  std::string user;            // empty: none; otherwise what root becomes after binding
  AuthinfoSettings authinfo;
  std::string oauth_directory = std::string(defaults::kOAuthDirectory);  // tokens of smarthosts with `oauth`
  AliasesSettings aliases;
  std::string local_mail;  // where mail to users of this machine goes that no alias names; empty: none
  mail::AddressPatterns senders{mail::AddressPattern::all()};  // who may be a sender at all; <> always may
  std::vector<std::string> masquerade;  // hosts whose names become `domain` in senders' addresses
  std::string copy_to;                  // one more recipient of every message; empty: none
  std::string runtime_directory = default_runtime_directory();
  Duration shutdown_grace = 10s;
  std::vector<mail::Smarthost> smarthosts;  // at least one
  std::vector<RouteSettings> routes;        // none: as routes_of() (route_keys.h) has it
  MessageSettings message;
  SpoolSettings spool;
  ByteSize memory = defaults::kMemory;
  LimitSettings limits;
  SubmitSettings submit;
  QueueSettings queue;
  ControlSettings control;
  LogSettings log;
  DkimSettings dkim;
  std::optional<Endpoint> dns;      // asked for records instead of the servers in resolv.conf
  std::optional<Endpoint> metrics;  // where metrics are told to whoever asks
  // This machine's name in a shared spool.
  const std::string& node_name() const { return node.empty() ? hostname : node; }
  bool operator==(const Settings&) const = default;
};

}  // namespace hikyaku::config
