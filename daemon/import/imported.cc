// SPDX-License-Identifier: MIT
#include "daemon/import/imported.h"

#include <algorithm>
#include <set>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/hostname.h"
#include "daemon/config/load.h"
#include "daemon/config/smarthost_draft.h"
#include "daemon/mail/address.h"

namespace hikyaku::importing {
namespace {

using mail::Smarthost;
using mail::TlsMode;

TlsMode mode_for(const Hop& hop) {
  if (hop.tls == TlsWish::implicit || hop.port == 465) return TlsMode::implicit;
  if (hop.tls == TlsWish::starttls || hop.logs_in || hop.port == 587) return TlsMode::starttls;
  return hop.tls == TlsWish::none ? TlsMode::none : TlsMode::opportunistic;
}

bool is_plain_text(std::string_view text) {
  return is_valid_utf8(text) &&
         std::ranges::none_of(text, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; });
}
bool is_plain_path(std::string_view path) { return path.starts_with('/') && is_plain_text(path); }

std::uint16_t port_for(const Hop& hop, TlsMode mode) {
  return hop.port.value_or(mode == TlsMode::implicit ? 465 : 25);
}

// Without a password nothing is at stake that the other relay guarded, so mail goes on as it did.
bool verifies(const Hop& hop, TlsMode mode) {
  return hop.is_verified || (hop.logs_in && !hop.by_mx) || mode == TlsMode::none;
}

void remark_on_tls(const Hop& hop, TlsMode mode, Imported& imported) {
  const bool was_open = hop.tls == TlsWish::none || hop.tls == TlsWish::unsaid;
  if (hop.logs_in && was_open && mode == TlsMode::starttls)
    imported.remark(
        hop.place, "",
        cat("TLS was not required on the way to ", hop.host,
            ", so the password could cross the network in clear text. hikyaku insists on STARTTLS; "
            "for a server without it set `tls: none` and `allow_plaintext_auth: true`"));
  else if (hop.logs_in && !hop.is_verified && !hop.by_mx)
    imported.remark(hop.place, "",
                    cat("the certificate of ", hop.host,
                        " was not checked until now; hikyaku checks it before it sends the password. If it "
                        "does not verify, `hikyaku check` says why and what to set"));
}

config::Settings default_settings_of_import() {
  auto settings = *config::load_text("smarthost: 'mx:'", "", {});
  settings.smarthosts.clear();
  return settings;
}

}  // namespace

Imported::Imported() : settings(default_settings_of_import()) {}

void Imported::remark(const Place& place, std::string_view subject, std::string text) {
  Remark remark{place, printable(first_word(subject).word, 60), std::move(text)};
  if (std::ranges::find(remarks, remark) == remarks.end()) remarks.push_back(std::move(remark));
}

void Imported::ignore(std::string_view key) {
  std::string shown = printable(first_word(key).word, 60);
  if (std::ranges::find(unneeded, shown) == unneeded.end()) unneeded.push_back(std::move(shown));
}

void Imported::remark_unusable(const Place& place, std::string_view key) {
  remark(place, key, "its value was not understood, so it was left out");
}

bool Imported::is_taken(const std::string& name) const {
  return std::ranges::any_of(settings.smarthosts,
                             [&](const Smarthost& each) { return equals_ignoring_case(each.name, name); });
}

std::string Imported::free_name(const std::string& name) const {
  std::string free = name;
  for (unsigned i = 2; is_taken(free); ++i) free = cat(name, "-", std::to_string(i));
  return free;
}

Smarthost& Imported::add_smarthost(const Hop& hop, const std::string& user) {
  const TlsMode mode = mode_for(hop);
  Smarthost smarthost;
  smarthost.name = free_name(hop.host);
  smarthost.host = hop.host;
  smarthost.port = port_for(hop, mode);
  smarthost.lookup_mx = hop.by_mx;
  smarthost.tls.mode = mode;
  smarthost.tls.verify = verifies(hop, mode);
  smarthost.user = user;
  remark_on_tls(hop, mode, *this);
  settings.smarthosts.push_back(std::move(smarthost));
  return settings.smarthosts.back();
}

Smarthost& Imported::smarthost_for(const Hop& hop, const std::string& user) {
  const std::uint16_t port = port_for(hop, mode_for(hop));
  auto is_it = [&](const Smarthost& each) {
    return each.host == hop.host && each.port == port && each.lookup_mx == hop.by_mx && each.user == user;
  };
  auto found = std::ranges::find_if(settings.smarthosts, is_it);
  return found != settings.smarthosts.end() ? *found : add_smarthost(hop, user);
}

Smarthost& Imported::direct_smarthost() {
  auto found = std::ranges::find_if(settings.smarthosts, &Smarthost::direct);
  if (found != settings.smarthosts.end()) return *found;
  auto direct = config::load_text("smarthost: 'mx:'", "", {})->smarthosts.front();
  direct.name = free_name(direct.name);
  settings.smarthosts.push_back(std::move(direct));
  return settings.smarthosts.back();
}

void Imported::add_login(Login login) {
  auto is_same = [&](const Login& each) {
    return each.entry.host == login.entry.host && each.entry.port == login.entry.port &&
           each.entry.credentials.user == login.entry.credentials.user;
  };
  if (std::ranges::none_of(logins, is_same)) logins.push_back(std::move(login));
}

void Imported::add_login(const Hop& hop, std::string user, std::string password, const Place& place) {
  config::AuthinfoEntry entry;
  entry.host = hop.host;
  entry.port = hop.port;
  entry.credentials.user = std::move(user);
  entry.credentials.password = Secret(std::move(password));
  add_login({std::move(entry), place});
}

void Imported::drop_unusable() {
  auto drop = [this](std::string& value, std::string_view key, bool is_usable) {
    if (value.empty() || is_usable) return;
    remark({}, key,
           "the path or name that was found cannot be used (a path has to begin with /), so it was left out");
    value.clear();
  };
  for (Smarthost& smarthost : settings.smarthosts) {
    mail::TlsSettings& tls = smarthost.tls;
    drop(tls.ca_file, "tls_ca_file", is_plain_path(tls.ca_file));
    const bool has_both = is_plain_path(tls.client_cert) && is_plain_path(tls.client_key);
    drop(tls.client_cert, "tls_client_cert", has_both);
    drop(tls.client_key, "tls_client_cert", has_both);
    drop(smarthost.user, "user", is_plain_text(smarthost.user));
  }
  if (!is_plain_path(settings.aliases.path)) {
    drop(settings.aliases.path, "aliases", false);
    settings.aliases = {};
  }
}

void Imported::finish() {
  drop_unusable();
  for (Smarthost& smarthost : settings.smarthosts) {
    std::set<std::string> users;
    for (const Login& login : logins)
      if (login.entry.host == smarthost.host) users.insert(login.entry.credentials.user);
    if (users.size() < 2) smarthost.user.clear();
  }
}

std::optional<Hop> parse_hop(std::string_view text, bool by_mx, const Place& place) {
  const bool is_bracketed = text.starts_with('[');
  auto target = config::parse_host_port(text);
  if (!target) return std::nullopt;
  const bool is_address = IpAddress::parse(target->host).has_value();
  return Hop{.host = target->host,
             .port = target->port,
             .by_mx = by_mx && !is_bracketed && !is_address,
             .place = place};
}

std::optional<std::string> plain_address(std::string_view text) {
  auto path = mail::parse_path(text, {});
  const bool is_plain = path && path->address == text && text.contains('@') && !text.contains('*');
  return is_plain ? std::optional(std::string(text)) : std::nullopt;
}

std::optional<mail::AddressPattern> pattern_of(std::string_view name) {
  if (!is_plain_text(name)) return std::nullopt;
  std::string text(name);
  if (name.starts_with('@')) text = cat("*", name);
  if (name.starts_with('.')) text = cat("*@*", name);
  if (!text.contains('@') && config::is_host_name(name)) text = cat("*@", name);
  auto pattern = mail::AddressPattern::parse(text);
  return pattern && text.contains('@') ? std::optional(std::move(*pattern)) : std::nullopt;
}

}  // namespace hikyaku::importing
