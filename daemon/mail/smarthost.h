// SPDX-License-Identifier: MIT
// A smarthost as configured: the keys of etc/hikyaku.yaml as plain values. Filled by daemon/config, used by
// smtpc.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/secret.h"
#include "daemon/base/tls_facts.h"
#include "daemon/mail/oauth.h"
#include "daemon/mail/rewriting.h"

namespace hikyaku::mail {

// How many messages a smarthost accepts in a time: "14/s", "30/min", "500/h", "10000/day"; or how many
// recipients: "10000 recipients/day".

enum class RateUnit : std::uint8_t { second, minute, hour, day };
inline constexpr std::array<std::string_view, 4> kRateUnits{"s", "min", "h", "day"};
inline constexpr std::uint32_t kMaxRate = 1'000'000;

enum class RateOf : std::uint8_t { messages, recipients };

struct Rate {
  std::uint32_t count = 1;  // 1 to kMaxRate
  RateUnit unit = RateUnit::second;
  RateOf of = RateOf::messages;
  bool operator==(const Rate&) const = default;
};

Duration length(RateUnit unit);
std::optional<Rate> parse_rate(std::string_view text);
std::string to_text(const Rate& rate);

enum class TlsMode : std::uint8_t { none, opportunistic, starttls, implicit };

struct TlsSettings {
  TlsMode mode = TlsMode::implicit;
  bool verify = true;
  std::string hostname;     // the name to verify and to send as SNI; empty: the smarthost's host
  std::string ca_file;      // empty: the system's
  std::string fingerprint;  // "sha256:" and 64 lower-case hex digits, or empty
  TlsVersion min_version = TlsVersion::tls1_2;
  std::string client_cert;  // files; both or neither
  std::string client_key;
  bool operator==(const TlsSettings&) const = default;
};

// What is signed of mail that goes there.
struct SigningRules {
  bool sign = true;
  std::vector<std::string> omit;  // fields that the smarthost changes; never From
  bool operator==(const SigningRules&) const = default;
};

struct SmtpTimeouts {
  Duration connect = 30s;  // each address
  Duration greeting = 5min;
  Duration command = 5min;
  Duration data = 10min;  // the reply to the final dot (RFC 5321 4.5.3.2.6); and each write of the body
  bool operator==(const SmtpTimeouts&) const = default;
};

// One entry of authinfo, chosen for one smarthost.
struct Credentials {
  std::string authzid;  // U:, may be empty
  std::string user;     // I:
  Secret password;
  std::string realm;                    // R:, may be empty
  std::vector<std::string> mechanisms;  // M:, upper case; empty: as the smarthost's `auth` says
  std::string origin;                   // "/etc/hikyaku/authinfo:3", for messages
  bool operator==(const Credentials&) const = default;
};

struct Smarthost {
  std::string name;    // unique; for log lines and routes
  std::string preset;  // the provider's in config/presets.h whose settings these are; empty: none
  std::string host;    // a name or an address, without brackets
  std::uint16_t port = 0;
  bool lookup_mx = false;  // the MX records of `host`
  // The recipients' own servers, `mx:`. In the configuration `host` is empty; a lane to a destination has the
  // recipients' domain there.
  bool direct = false;
  TlsSettings tls;
  bool auth = true;                     // false: `auth: none`
  std::vector<std::string> mechanisms;  // `auth: [A, B]` in order, upper case; empty: auto
  bool allow_plaintext_auth = false;
  std::string user;  // selects one of several entries of authinfo, or empty; who logs in
                     // with `oauth`
  std::optional<Credentials> credentials;  // looked up by host, port and `user`; none with `oauth`
  std::optional<OAuthSettings> oauth;      // instead of a password
  std::uint32_t connections = 4;
  std::uint32_t messages_per_connection = 1000;
  std::vector<Rate> rates;  // of messages and of recipients, each unit at most once; none: no limit
  SmtpTimeouts timeout;
  SigningRules dkim;
  Rewriting rewrite;  // `from`, `rewrite`, `headers` and `received`
  bool operator==(const Smarthost&) const = default;
};

// Whom the smarthost knows us as; empty: nobody logs in.
std::string account_of(const Smarthost& smarthost);

// "main: smtp.example.com port 587, STARTTLS required, logs in as me@example.com (/etc/hikyaku/authinfo:3)".
std::string describe(const Smarthost& smarthost);

}  // namespace hikyaku::mail
