// SPDX-License-Identifier: MIT
#include "daemon/config/presets.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/smarthost_draft.h"
#include "daemon/mail/address.h"

namespace hikyaku::config {
namespace {

// A region's other ways in would be those of the family's host, and its users are recognised as the family's.
Preset in_region(Preset preset, const detail::PresetRegion& region) {
  preset.family = region.family;
  preset.name = region.name;
  preset.title = region.title;
  preset.host = region.host;
  preset.also = preset.hosts = preset.domains = preset.mx = {};
  return preset;
}

std::vector<Preset> all_presets() {
  std::vector<Preset> all;
  for (const Preset& preset : detail::preset_table()) {
    all.push_back(preset);
    for (const detail::PresetRegion& region : detail::preset_regions())
      if (region.family == preset.name) all.push_back(in_region(preset, region));
  }
  return all;
}

const Preset* first_preset(auto&& fits) {
  const std::span<const Preset> all = presets();
  auto found = std::ranges::find_if(all, fits);
  return found == all.end() ? nullptr : &*found;
}

bool any_word(std::string_view list, auto&& fits) { return std::ranges::any_of(words(list), fits); }

// `pattern` has at most one asterisk in a row, which stands for anything but nothing.
bool fits_pattern(std::string_view host, std::string_view pattern) {
  const std::size_t star = pattern.find('*');
  if (star == pattern.npos) return equals_ignoring_case(host, pattern);
  if (!starts_with_ignoring_case(host, pattern.substr(0, star))) return false;
  for (std::size_t end = star + 1; end <= host.size(); ++end)
    if (fits_pattern(host.substr(end), pattern.substr(star + 1))) return true;
  return false;
}

bool is_name_or_below(std::string_view name, std::string_view end) {
  if (equals_ignoring_case(name, end)) return true;
  return name.size() > end.size() && name[name.size() - end.size() - 1] == '.' &&
         equals_ignoring_case(name.substr(name.size() - end.size()), end);
}

bool leads_to(std::string_view url, std::string_view host) {
  auto parsed = parse_smarthost_url(url);
  return parsed && equals_ignoring_case(parsed->host, host);
}

std::string_view without_last_dot(std::string_view name) {
  return name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
}

std::string_view tls_word(mail::TlsMode mode) {
  switch (mode) {
    case mail::TlsMode::none: return "none";
    case mail::TlsMode::opportunistic: return "opportunistic";
    case mail::TlsMode::starttls: return "starttls";
    case mail::TlsMode::implicit: return "implicit";
  }
  std::unreachable();
}

std::string rate_value(std::string_view rates) {
  return rates.contains(',') ? cat("[", rates, "]") : std::string(rates);
}

// "{omit: [Message-ID, Date]}"
std::string omit_value(std::string_view names) {
  std::vector<std::string> list;
  for (std::string_view name : words(names)) list.emplace_back(name);
  return cat("{omit: [", join(list, ", "), "]}");
}

}  // namespace

std::span<const Preset> presets() {
  static const std::vector<Preset> kAll = all_presets();
  return kAll;
}

const Preset* find_preset(std::string_view name) {
  return first_preset([&](const Preset& preset) { return equals_ignoring_case(preset.name, name); });
}

std::string explain_unknown_preset(std::string_view name) {
  std::vector<std::string> names;
  for (const Preset& preset : presets()) names.emplace_back(preset.name);
  auto meant = nearest(name, names);
  return meant ? cat("; did you mean `", *meant, "`?") : "; `hikyaku presets` lists them";
}

const Preset* preset_of_host(std::string_view host) {
  host = without_last_dot(host);
  auto is_main = [&](const Preset& preset) { return equals_ignoring_case(preset.host, host); };
  auto is_known = [&](const Preset& preset) {
    return any_word(preset.also, [&](std::string_view url) { return leads_to(url, host); }) ||
           any_word(preset.hosts, [&](std::string_view pattern) { return fits_pattern(host, pattern); });
  };
  if (host.empty()) return nullptr;
  const Preset* main = first_preset(is_main);
  return main != nullptr ? main : first_preset(is_known);
}

const Preset* preset_of_domain(std::string_view mail_domain) {
  auto is_one = [&](std::string_view domain) {
    return equals_ignoring_case(domain, without_last_dot(mail_domain));
  };
  return first_preset([&](const Preset& preset) { return any_word(preset.domains, is_one); });
}

const Preset* preset_of_mx(std::string_view mx_host) {
  auto is_end = [&](std::string_view end) { return is_name_or_below(without_last_dot(mx_host), end); };
  return first_preset([&](const Preset& preset) { return any_word(preset.mx, is_end); });
}

bool may_be_preset_name(std::string_view word) {
  return !word.empty() && word.find_first_of(".:/[@ ") == word.npos;
}

std::string_view address_demanded(const Preset& preset, std::string_view user) {
  auto path = mail::parse_path(user, {});
  const bool is_address = path && path->address == user && user.contains('@');
  return preset.demand == SenderDemand::account && is_address ? user : std::string_view();
}

std::vector<PresetValue> preset_values(const Preset& preset, std::string_view user) {
  std::vector<PresetValue> values;
  auto add = [&](std::string_view key, std::string value) {
    if (!value.empty()) values.push_back({std::string(key), std::move(value)});
  };
  auto number = [](std::uint32_t count) { return count == 0 ? "" : std::to_string(count); };
  add("name", std::string(preset.name));
  add("host", std::string(preset.host));
  add("port", number(preset.port));
  add("tls", std::string(tls_word(preset.tls)));
  add("user", std::string(preset.user));
  add("connections", number(preset.connections));
  add("messages_per_connection", number(preset.messages_per_connection));
  if (!preset.rates.empty()) add("rate", rate_value(preset.rates));
  if (!preset.unsigned_fields.empty()) add("dkim", omit_value(preset.unsigned_fields));
  add("from", std::string(address_demanded(preset, user)));
  return values;
}

std::string_view to_text(SenderDemand demand) {
  switch (demand) {
    case SenderDemand::account: return "only the account's own address";
    case SenderDemand::registered: return "only addresses or domains that are registered or verified there";
    case SenderDemand::existing_domain: return "any address whose domain exists";
    case SenderDemand::any: return "any address";
  }
  std::unreachable();
}

std::string_view to_text(PasswordKind kind) {
  switch (kind) {
    case PasswordKind::account: return "the mailbox's password";
    case PasswordKind::app_password: return "an app password, not the account's own";
    case PasswordKind::api_key: return "an API key";
    case PasswordKind::smtp_credentials: return "SMTP credentials, which are not the account's";
    case PasswordKind::oauth2_only: return "no password at all, only OAuth2";
  }
  std::unreachable();
}

std::string_view word_of(SenderDemand demand) {
  switch (demand) {
    case SenderDemand::account: return "account";
    case SenderDemand::registered: return "registered";
    case SenderDemand::existing_domain: return "existing-domain";
    case SenderDemand::any: return "any";
  }
  std::unreachable();
}

std::string_view word_of(PasswordKind kind) {
  switch (kind) {
    case PasswordKind::account: return "account";
    case PasswordKind::app_password: return "app-password";
    case PasswordKind::api_key: return "api-key";
    case PasswordKind::smtp_credentials: return "smtp-credentials";
    case PasswordKind::oauth2_only: return "oauth2-only";
  }
  std::unreachable();
}

}  // namespace hikyaku::config
