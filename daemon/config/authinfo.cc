// SPDX-License-Identifier: MIT
#include "daemon/config/authinfo.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/authinfo_notations.h"
#include "daemon/config/hostname.h"
#include "daemon/config/secret_file.h"

namespace hikyaku::config {
namespace {

constexpr SecretWords kWords{"the credentials file", "the passwords in it", "a password of theirs"};

Result<AuthinfoEntry, std::string> named(std::string_view notation, Result<AuthinfoEntry, std::string> read) {
  if (!read) return std::unexpected(cat(notation, " ", read.error()));
  return read;
}

// The two notations without a keyword can be mistaken for one another: `a b:c:d` is host a, user b, or user
// "a b", host c.
Result<AuthinfoEntry, std::string> parse_bare_line(std::string_view line) {
  auto postfix = parse_postfix_line(line);
  auto clsmtpc = parse_clsmtpc_line(line);
  if (postfix && clsmtpc)
    return std::unexpected(
        "this line fits two notations, Postfix's `HOST USER:PASSWORD` and clsmtpc's `USER:HOST:PASSWORD`; "
        "write it as "
        "`machine HOST login USER password \"PASSWORD\"`");
  if (postfix) return *postfix;
  if (clsmtpc) return *clsmtpc;
  return std::unexpected(
      "this line is in none of the notations `AuthInfo:HOST \"I:USER\" \"P:PASSWORD\"`, `machine HOST login "
      "USER "
      "password PASSWORD`, `[HOST]:PORT USER:PASSWORD`, `USER:HOST:PASSWORD`; each entry is one line");
}

Result<AuthinfoEntry, std::string> parse_line(std::string_view line) {
  if (line.find('\0') != line.npos) return std::unexpected("this line holds a NUL byte");
  if (is_sendmail_line(line)) return named("this AuthInfo: entry", parse_sendmail_line(line));
  if (is_netrc_line(line)) return named("this machine or default entry", parse_netrc_line(line));
  return parse_bare_line(line);
}

std::string_view content_of(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
  return trim(line).empty() || line.starts_with('#') ? std::string_view{} : line;
}

// How specific an entry is for the query.
enum class Fit { none, any_host, address, address_and_port, host, host_and_port };

bool has_address(const AuthinfoQuery& query, const std::string& host) {
  auto address = IpAddress::parse(host);
  return address && std::ranges::find(query.addresses, *address) != query.addresses.end();
}

Fit fit_of(const AuthinfoEntry& entry, const AuthinfoQuery& query, const std::string& host) {
  if (!query.user.empty() && entry.credentials.user != query.user) return Fit::none;
  if (entry.port && entry.port != query.port) return Fit::none;
  // Any host may answer for an MX name; the password for "any host" must not go to it.
  if (entry.host.empty()) return query.lookup_mx ? Fit::none : Fit::any_host;
  if (entry.host == host) return entry.port ? Fit::host_and_port : Fit::host;
  if (has_address(query, entry.host)) return entry.port ? Fit::address_and_port : Fit::address;
  return Fit::none;
}

struct Best {
  const AuthinfoEntry* entry = nullptr;
  Fit fit = Fit::none;
};

// Among equals the first.
Best best_of(const Authinfo& entries, const AuthinfoQuery& query) {
  std::string host = parse_host(query.host).value_or(query.host);
  Best best;
  for (const AuthinfoEntry& entry : entries) {
    Fit fit = fit_of(entry, query, host);
    if (fit > best.fit) best = {&entry, fit};
  }
  return best;
}

AuthinfoQuery query_for(const mail::Smarthost& smarthost) {
  return {smarthost.host, smarthost.port, smarthost.user, smarthost.lookup_mx};
}

}  // namespace

Result<Authinfo, Problems> parse_authinfo(std::string_view text, const std::string& file) {
  Authinfo entries;
  Problems problems;
  unsigned number = 0;
  for (std::string_view raw : split(text, '\n')) {
    ++number;
    std::string_view line = content_of(raw);
    if (line.empty()) continue;
    auto entry = parse_line(line);
    if (entry) {
      entry->credentials.origin = cat(file, ":", std::to_string(number));
      entry->line = number;
      entries.push_back(std::move(*entry));
    } else {
      problems.push_back({file, number, 0, "", std::move(entry.error())});
    }
  }
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return entries;
}

std::optional<mail::Credentials> find_credentials(const Authinfo& entries, const AuthinfoQuery& query) {
  const AuthinfoEntry* best = best_of(entries, query).entry;
  if (best == nullptr) return std::nullopt;
  return best->credentials;
}

void attach_credentials(mail::Smarthost& smarthost, const Authinfo& entries,
                        std::vector<IpAddress> addresses) {
  AuthinfoQuery query = query_for(smarthost);
  query.addresses = std::move(addresses);
  const bool has_password = smarthost.auth && !smarthost.oauth;
  smarthost.credentials = has_password ? find_credentials(entries, query) : std::nullopt;
}

bool depends_on_addresses(const mail::Smarthost& smarthost, const Authinfo& entries) {
  if (!smarthost.auth || smarthost.oauth || smarthost.lookup_mx ||
      best_of(entries, query_for(smarthost)).fit >= Fit::host)
    return false;
  return std::ranges::any_of(
      entries, [](const AuthinfoEntry& entry) { return IpAddress::parse(entry.host).has_value(); });
}

AuthinfoSettings choose_authinfo(AuthinfoSettings settings, const AuthinfoReader& reader) {
  if (settings.is_explicit || reader.credentials_directory.empty()) return settings;
  std::string credential = cat(reader.credentials_directory, "/authinfo");
  if (::access(credential.c_str(), F_OK) == 0) settings.path = std::move(credential);
  return settings;
}

AuthinfoReader reader_with(const AuthinfoSettings& settings, AuthinfoReader reader) {
  reader.takes_any_mode = settings.mode == AuthinfoMode::any;
  return reader;
}

std::optional<std::string> accepted_access(const AuthinfoSettings& settings, const AuthinfoReader& reader) {
  if (settings.given) return std::nullopt;
  return accepted_access(settings.path, reader_with(settings, reader), kWords);
}

Result<AuthinfoFile, Problems> load_authinfo_file(const AuthinfoSettings& settings,
                                                  const AuthinfoReader& reader) {
  if (settings.given) return AuthinfoFile{{}, {{.host = {}, .port = {}, .credentials = *settings.given}}};
  auto text = read_secret_file(settings.path, reader_with(settings, reader), kWords);
  const bool is_missing = !text && text.error().kind == FileErrorKind::missing;
  if (is_missing && !settings.is_explicit) return AuthinfoFile{};
  if (!text) return std::unexpected(Problems{{settings.path, 0, 0, "", text.error().text}});
  auto entries = parse_authinfo(text->reveal(), settings.path);
  if (!entries) return std::unexpected(std::move(entries.error()));
  return AuthinfoFile{std::move(*text), std::move(*entries)};
}

Result<Authinfo, Problems> load_authinfo(const AuthinfoSettings& settings, const AuthinfoReader& reader) {
  auto file = load_authinfo_file(settings, reader);
  if (!file) return std::unexpected(std::move(file.error()));
  return std::move(file->entries);
}

}  // namespace hikyaku::config
