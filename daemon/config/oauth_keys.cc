// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>

#include "daemon/base/ip.h"
#include "daemon/base/text.h"
#include "daemon/config/hostname.h"
#include "daemon/config/presets.h"
#include "daemon/config/smarthost_draft.h"

namespace hikyaku::config {
namespace {

using mail::OAuthFlow;
using mail::OAuthProvider;
using mail::OAuthSettings;
using mail::Smarthost;

// {tenant} is filled in. Empty: there is none.
struct Provider {
  OAuthProvider provider;
  std::string_view cloud;  // Microsoft's
  std::string_view token;
  std::string_view authorize;
  std::string_view device;
  std::string_view revoke;
  std::string_view issuer;
  std::string_view scope;      // for people who consent, and for service accounts
  std::string_view app_scope;  // for client credentials
};

constexpr std::string_view kWorld = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/";
constexpr std::string_view kGov = "https://login.microsoftonline.us/{tenant}/oauth2/v2.0/";
constexpr std::string_view kChina = "https://login.partner.microsoftonline.cn/{tenant}/oauth2/v2.0/";

constexpr Provider kProviders[] = {
    {OAuthProvider::google, "", "https://oauth2.googleapis.com/token",
     "https://accounts.google.com/o/oauth2/v2/auth", "", "https://oauth2.googleapis.com/revoke",
     "https://accounts.google.com", "https://mail.google.com/", ""},
    {OAuthProvider::microsoft, "worldwide", kWorld, kWorld, kWorld, "",
     "https://login.microsoftonline.com/{tenantid}/v2.0",
     "https://outlook.office.com/SMTP.Send offline_access", "https://outlook.office365.com/.default"},
    {OAuthProvider::microsoft, "us-gov", kGov, kGov, kGov, "",
     "https://login.microsoftonline.us/{tenantid}/v2.0",
     "https://outlook.office365.us/SMTP.Send offline_access", "https://outlook.office365.us/.default"},
    {OAuthProvider::microsoft, "china", kChina, kChina, kChina, "",
     "https://login.partner.microsoftonline.cn/{tenantid}/v2.0",
     "https://partner.outlook.cn/SMTP.Send offline_access", "https://partner.outlook.cn/.default"},
    {OAuthProvider::fastmail, "", "https://api.fastmail.com/oauth/refresh",
     "https://api.fastmail.com/oauth/authorize", "", "https://api.fastmail.com/oauth/revoke", "",
     "https://www.fastmail.com/dev/protocol-smtp offline_access", ""},
};

// The settings while they are read.
struct Draft {
  OAuthSettings settings;
  std::string cloud;
};

const Choices<OAuthProvider>& providers() {
  static const Choices<OAuthProvider> kNames{{"google", OAuthProvider::google},
                                             {"microsoft", OAuthProvider::microsoft},
                                             {"fastmail", OAuthProvider::fastmail},
                                             {"custom", OAuthProvider::custom}};
  return kNames;
}

const Choices<OAuthFlow>& flows() {
  static const Choices<OAuthFlow> kNames{{"login", OAuthFlow::login},
                                         {"client_credentials", OAuthFlow::client_credentials},
                                         {"service_account", OAuthFlow::service_account},
                                         {"command", OAuthFlow::command}};
  return kNames;
}

const Schema<OAuthSettings>& certificate_schema() {
  static const Schema<OAuthSettings> kSchema{{"cert", path(&OAuthSettings::client_cert)},
                                             {"key", path(&OAuthSettings::client_key)}};
  return kSchema;
}

void read_certificate(const Value& value, OAuthSettings& oauth) {
  if (!value.is_map()) return value.problem("must be {cert: FILE, key: FILE}");
  read_map(value, certificate_schema(), oauth);
  if (oauth.client_cert.empty() || oauth.client_key.empty()) value.problem("needs both `cert` and `key`");
}
std::optional<YamlNode> show_certificate(const OAuthSettings& oauth) {
  if (oauth.client_cert.empty()) return YamlNode{};
  return show_map(certificate_schema(), oauth);
}

// No shell: each element is one argument as it stands.
void read_command(const Value& value, OAuthSettings& oauth) {
  for (const Value& element : value.elements())
    if (auto word = element.as_text("a word of the command")) oauth.command.push_back(std::move(*word));
  if (oauth.command.empty() || !oauth.command.front().starts_with('/'))
    value.problem(
        "must be a list such as [/usr/local/bin/token, main]: a program with its full path, and its "
        "arguments");
}
std::optional<YamlNode> show_command(const OAuthSettings& oauth) {
  return oauth.command.empty() ? YamlNode{} : to_node(oauth.command);
}

Read<OAuthSettings> url(std::string OAuthSettings::* member) {
  return {[member](const Value& value, OAuthSettings& oauth) {
            const std::string_view text = value.text().value_or("");
            if (is_safe_url(text))
              oauth.*member = text;
            else
              value.problem(
                  "must be an https:// URL (http:// only where it leads to this machine, such as "
                  "http://127.0.0.1:8080/token)");
          },
          showing(member)};
}

// A token or a secret would go through it in TLS only.
void read_proxy(const Value& value, OAuthSettings& oauth) {
  std::string_view text = value.text().value_or("");
  const bool is_http = text.starts_with("http://") && text.find('@') == text.npos;
  if (!is_http) return value.problem("must be http://HOST:PORT, without a user or a password");
  oauth.proxy = text;
}

bool is_tenant(std::string_view name) {
  return !name.empty() &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") ==
             name.npos;
}

void read_tenant(const Value& value, OAuthSettings& oauth) {
  if (is_tenant(value.text().value_or("")))
    oauth.tenant = *value.text();
  else
    value.problem("must be the tenant's domain or id, such as example.com");
}

void read_cloud(const Value& value, Draft& draft) {
  static const std::vector<std::string> kClouds{"worldwide", "us-gov", "china"};
  if (auto index = value.as_choice(kClouds)) draft.cloud = kClouds[*index];
}
// Its URLs and scope say it.
std::optional<YamlNode> show_cloud(const Draft&) { return std::nullopt; }

const Schema<Draft>& oauth_schema() {
  auto in = [](Read<OAuthSettings> read) { return within(&Draft::settings, std::move(read)); };
  static const Schema<Draft> kSchema{
      {"provider", in(choice(&OAuthSettings::provider, providers()))},
      {"flow", in(choice(&OAuthSettings::flow, flows()))},
      {"tenant", in(custom(read_tenant, &OAuthSettings::tenant))},
      {"cloud", custom(read_cloud, show_cloud)},
      {"client_id", in(text(&OAuthSettings::client_id, "the id of the application at the provider"))},
      {"client_secret_file", in(path(&OAuthSettings::client_secret_file))},
      {"client_certificate", in(custom(read_certificate, show_certificate))},
      {"service_account_file", in(path(&OAuthSettings::service_account_file))},
      {"command", in(custom(read_command, show_command))},
      {"token_url", in(url(&OAuthSettings::token_url))},
      {"authorize_url", in(url(&OAuthSettings::authorize_url))},
      {"device_url", in(url(&OAuthSettings::device_url))},
      {"revoke_url", in(url(&OAuthSettings::revoke_url))},
      {"issuer", in(text(&OAuthSettings::issuer, "what `iss` must be in the answer to the browser"))},
      {"scope", in(text(&OAuthSettings::scope, "the scopes to ask for, separated by blanks"))},
      {"proxy", in(custom(read_proxy, &OAuthSettings::proxy))},
      {"ca_file", in(path(&OAuthSettings::ca_file))},
  };
  return kSchema;
}

std::string filled_in(std::string_view url, std::string_view tenant, std::string_view end) {
  const auto at = url.find("{tenant}");
  if (at == url.npos) return std::string(url);
  return cat(url.substr(0, at), tenant, url.substr(at + 8), end);
}

// What is written beats what the provider's row says.
void complete(Draft& draft) {
  OAuthSettings& oauth = draft.settings;
  const auto row = std::ranges::find_if(kProviders, [&](const Provider& each) {
    const std::string_view cloud = draft.cloud.empty() ? "worldwide" : std::string_view(draft.cloud);
    return each.provider == oauth.provider && (each.cloud.empty() || each.cloud == cloud);
  });
  if (row == std::end(kProviders)) return;
  if (oauth.provider == OAuthProvider::microsoft && oauth.tenant.empty()) oauth.tenant = "common";
  const bool is_app = oauth.flow == OAuthFlow::client_credentials;
  auto fill = [&](std::string& into, std::string_view with, std::string_view end) {
    if (into.empty()) into = filled_in(with, oauth.tenant, end);
  };
  const bool has_own_url = !oauth.token_url.empty();
  fill(oauth.scope, is_app ? row->app_scope : row->scope, "");
  if (has_own_url) return;  // those of another server do not go with it
  fill(oauth.token_url, row->token, "token");
  fill(oauth.authorize_url, row->authorize, "authorize");
  fill(oauth.device_url, row->device, "devicecode");
  fill(oauth.revoke_url, row->revoke, "");
  if (oauth.issuer.empty()) oauth.issuer = row->issuer;
}

// What a flow cannot do without.
std::string missing(const OAuthSettings& oauth) {
  const bool is_by_command = oauth.flow == OAuthFlow::command;
  if (is_by_command) return oauth.command.empty() ? "`flow: command` needs `command`" : "";
  if (!oauth.command.empty()) return "`command` needs `flow: command`";
  if (oauth.token_url.empty()) return "needs `provider`, or `token_url` of the provider that you use";
  if (oauth.flow == OAuthFlow::service_account)
    return oauth.service_account_file.empty() ? "`flow: service_account` needs `service_account_file`" : "";
  if (oauth.client_id.empty()) return "needs `client_id`, which the provider has given to your application";
  const bool is_public = oauth.client_secret_file.empty() && oauth.client_cert.empty();
  if (oauth.flow == OAuthFlow::client_credentials && is_public)
    return "`flow: client_credentials` needs `client_secret_file` or `client_certificate`";
  if (!oauth.client_secret_file.empty() && !oauth.client_cert.empty())
    return "has both `client_secret_file` and `client_certificate`; write one of them";
  return "";
}

}  // namespace

bool is_safe_url(std::string_view url) {
  const bool is_https = url.starts_with("https://");
  if (!is_https && !url.starts_with("http://")) return false;
  std::string_view rest = url.substr(is_https ? 8 : 7);
  const auto is_plain = [](char c) {
    return c > ' ' && c < 0x7f && c != '@' && c != '#' && c != '"' && c != '\\';
  };
  if (!std::ranges::all_of(rest, is_plain)) return false;
  const auto target = parse_host_port(rest.substr(0, rest.find_first_of("/?")));
  if (!target) return false;
  const auto address = IpAddress::parse(target->host);
  return is_https || (address ? address->is_loopback() : is_localhost(target->host));
}

void read_oauth(const Value& value, Smarthost& smarthost) {
  if (!value.is_map()) return value.problem("must be a mapping, such as {provider: microsoft, client_id: …}");
  Draft draft;
  read_map(value, oauth_schema(), draft);
  complete(draft);
  if (const std::string what = missing(draft.settings); !what.empty()) value.problem(what);
  smarthost.oauth = std::move(draft.settings);
}

std::optional<YamlNode> show_oauth(const Smarthost& smarthost) {
  if (!smarthost.oauth) return smarthost.direct ? std::nullopt : std::optional(YamlNode{});
  return show_map(oauth_schema(), Draft{*smarthost.oauth, ""});
}

void finish_oauth(const Value& entry, Smarthost& smarthost) {
  if (!smarthost.oauth) return;
  if (smarthost.user.empty()) entry.problem("`oauth` needs `user`, the account that mail is sent by");
  if (!smarthost.auth) entry.problem("has `oauth`, and `auth: none` forbids to log in; write one of them");
  const bool is_microsoft = smarthost.oauth->provider == OAuthProvider::microsoft;
  const Preset* preset = is_microsoft && smarthost.preset.empty() ? find_preset("microsoft365") : nullptr;
  if (preset == nullptr) return;
  if (!entry.has("connections")) smarthost.connections = preset->connections;
  if (entry.has("rate")) return;
  for (std::string_view rate : split(preset->rates, ','))
    if (auto parsed = mail::parse_rate(trim(rate))) smarthost.rates.push_back(*parsed);
}

}  // namespace hikyaku::config
