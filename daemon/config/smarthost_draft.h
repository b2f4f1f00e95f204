// SPDX-License-Identifier: MIT
// Reading a smarthost: its keys as they were written, each checked by itself, and then the defaults that
// depend on other keys and the search for contradictions (read_smarthost()).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/error.h"
#include "daemon/config/presets.h"
#include "daemon/config/schema.h"
#include "daemon/config/value.h"
#include "daemon/mail/smarthost.h"

namespace hikyaku::config {

// smtps://HOST, submission://HOST, smtp://HOST, each with an optional :PORT: a smarthost in one line. `mx:`
// stands for the recipients' own servers. Pure.

struct SmarthostUrl {
  mail::TlsMode mode = mail::TlsMode::implicit;
  std::string host;  // as parse_host() gives it; empty with `is_direct`
  std::optional<std::uint16_t> port;
  bool is_exact = false;   // the host stands in brackets, or is an address: never looked up as MX
  bool is_direct = false;  // `mx:`
};

// The error says what to change, and repeats nothing of the URL, which may hold a password.
Result<SmarthostUrl, std::string> parse_smarthost_url(std::string_view url);

// The smarthost that such a URL alone makes of itself, as in the list `smarthosts`, without credentials. `mx:` and the
// names of presets are refused: they are no server. The error is as above.
Result<mail::Smarthost, std::string> smarthost_at(std::string_view url);

// 465, 587 or 25.
std::uint16_t default_port(mail::TlsMode mode);
// nullopt for a port without a usual mode.
std::optional<mail::TlsMode> default_tls_mode(std::uint16_t port);

struct SmarthostDraft {
  mail::Smarthost smarthost;  // what depends on nothing else
  bool has_target = false;    // `url`, `host` or `preset` was written, if perhaps wrongly
  const Preset* preset = nullptr;
  std::optional<std::string> from;
  std::optional<SmarthostUrl> url;
  std::optional<std::string> host;
  bool is_exact = false;  // of `host`, as in the URL
  std::optional<std::uint16_t> port;
  std::optional<mail::TlsMode> mode;
  std::optional<bool> lookup_mx;
  std::optional<bool> verify;
  bool says_omit = false;  // `dkim.omit` was written
};

inline constexpr std::string_view kTlsModes = "implicit, starttls, opportunistic, none";

void read_url(const Value& value, SmarthostDraft& draft);

// A provider's settings (presets.h), which every key beats.

// `preset`: its name.
void read_preset(const Value& value, SmarthostDraft& draft);
// Gives the draft what `entry` does not say.
void apply_preset(const Value& entry, SmarthostDraft& draft);
// Where the provider takes only the account's own address, and nothing is said about addresses, mail leaves
// with `user`, if that is one: as with `from`.
void send_as_account(mail::Smarthost& smarthost);

// `oauth` (oauth_keys.cc), and the providers whose URLs and scopes are known. No secret stands in the
// configuration: it names files. Every URL must be https, or lead to this machine itself, since client secret
// and tokens go there.

// A mapping. What is wrong has been reported.
void read_oauth(const Value& value, mail::Smarthost& smarthost);
std::optional<YamlNode> show_oauth(const mail::Smarthost& smarthost);
// To be called when all keys of the entry have been read: `oauth` needs `user`, knows no password, and brings
// the limits of its provider where the entry says nothing of them.
void finish_oauth(const Value& entry, mail::Smarthost& smarthost);
// "https://HOST[:PORT]/…", or the same with http on loopback.
bool is_safe_url(std::string_view url);

// Every key of a smarthost.
const Schema<SmarthostDraft>& smarthost_schema();

// A smarthost's `rate`: one such as 60/min or 10000 recipients/day, or a list of them.
void read_rates(const Value& value, mail::Smarthost& smarthost);

// One smarthost from YAML: a URL, or a mapping of the keys in etc/hikyaku.yaml. Contradictions are reported,
// never settled by precedence.

// Every key with its value, but `url` where `host` says it, and the other way round.
YamlNode show_smarthost(const mail::Smarthost& smarthost);

// nullopt if the smarthost cannot be used at all. All problems have been reported.
std::optional<mail::Smarthost> read_smarthost(const Value& value);
// The list `smarthosts`, with the names compared.
std::vector<mail::Smarthost> read_smarthosts(const Value& value);

}  // namespace hikyaku::config
