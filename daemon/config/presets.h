// SPDX-License-Identifier: MIT
// The providers whose settings are known: how their servers are reached, whose address they demand, what they
// want as a password. A row of preset_table.cc each. Knowledge of a month, which the row names; a key of the
// configuration always beats it. Never asks the network. Constant, so any thread may read it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/mail/smarthost.h"

namespace hikyaku::config {

// Whose address a provider takes as the sender, in the envelope or in From.
enum class SenderDemand : std::uint8_t {
  account,          // the account's own address only
  registered,       // addresses and domains that were registered or verified with the provider
  existing_domain,  // any address whose domain exists
  any
};

enum class PasswordKind : std::uint8_t {
  account,           // the password of the account, or of the mailbox
  app_password,      // one made for programs; the account's own is refused
  api_key,           // a key, together with a fixed user name or with itself
  smtp_credentials,  // a user name and a password that exist for SMTP alone
  oauth2_only        // none is taken
};

struct Preset {
  std::string_view name;      // "gmail": a word without dots, for `preset:`
  std::string_view title;     // "Gmail"
  std::string_view family{};  // of a region: the name of the preset without one, "ses" of "ses-eu-west-1"
  std::string_view host{};    // empty: each account or region has its own, so an entry needs `host`
  std::uint16_t port = 465;
  mail::TlsMode tls = mail::TlsMode::implicit;

  // Lists, their elements separated by blanks, or those of `rates` by commas.
  std::string_view also{};   // other ways in, as URLs for `url`
  std::string_view hosts{};  // patterns of hosts that belong to it, where `*` stands for one label or a part
  std::string_view domains{};  // of its users' addresses
  std::string_view mx{};       // ends of the names of its MX hosts: "mail.protection.outlook.com"
  std::string_view rates{};    // for `rate`, where the provider documents a limit

  std::string_view unsigned_fields{};  // for `dkim.omit`: the provider changes them

  std::uint32_t connections = 0;  // 0, here and below: not documented
  std::uint32_t messages_per_connection = 0;
  std::string_view user{};       // the user name that everybody has, such as "apikey"; empty: each their own
  std::string_view user_hint{};  // otherwise what it is; empty: the full mail address
  SenderDemand demand = SenderDemand::account;
  PasswordKind password = PasswordKind::account;
  std::string_view oauth{};    // `provider` of `oauth`; empty: it has no OAuth2 that is known here
  std::string_view steps{};    // what to do to get that password, a sentence; or why there is none
  std::string_view note{};     // what surprises people, a sentence; may be empty
  std::string_view help{};     // the provider's page
  std::string_view ended{};    // the day on which the service ended, "2026-02-25"; empty: it has not
  std::string_view checked{};  // the month of the knowledge, and what it rests on
};

// All of them, each family before its regions.
std::span<const Preset> presets();

// By name, in any case; nullptr if there is none.
const Preset* find_preset(std::string_view name);
// The name that was probably meant, quoted, as "; did you mean `gmail`?", or else where the names are listed.
std::string explain_unknown_preset(std::string_view name);

// By what people know instead: the host of the configuration, the domain of their address, or the name of an
// MX host (with or without its last dot). nullptr if no provider is recognised.
const Preset* preset_of_host(std::string_view host);
const Preset* preset_of_domain(std::string_view mail_domain);
const Preset* preset_of_mx(std::string_view mx_host);

// A word that can only be the name of a preset, where a URL may stand as well.
bool may_be_preset_name(std::string_view word);

// What a preset sets in an entry with this `user`, in the order of etc/hikyaku.yaml: the key, and its value
// as it would be written.
struct PresetValue {
  std::string key;
  std::string value;
};
std::vector<PresetValue> preset_values(const Preset& preset, std::string_view user = {});
// The address that mail leaves with: `user`, where the provider takes no other address and this is one; else
// empty.
std::string_view address_demanded(const Preset& preset, std::string_view user);

// "only the account's own address" and the like, to follow "takes " and "wants ".
std::string_view to_text(SenderDemand demand);
std::string_view to_text(PasswordKind kind);
// For scripts: "account", "registered", "existing-domain", "any"; "account", "app-password", "api-key", …
std::string_view word_of(SenderDemand demand);
std::string_view word_of(PasswordKind kind);

namespace detail {
std::span<const Preset> preset_table();
// A region of a family: everything else is as in the family's row.
struct PresetRegion {
  std::string_view family;
  std::string_view name;
  std::string_view title;
  std::string_view host;
};
std::span<const PresetRegion> preset_regions();
}  // namespace detail

}  // namespace hikyaku::config
