// SPDX-License-Identifier: MIT
#include "daemon/config/smarthost_draft.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/hostname.h"
#include "daemon/config/rewriting_keys.h"

namespace hikyaku::config {
namespace {

using mail::Smarthost;
using mail::SmtpTimeouts;
using mail::TlsMode;
using mail::TlsSettings;

void read_host(const Value& value, SmarthostDraft& draft) {
  draft.has_target = true;
  draft.host = parse_host(value.text().value_or(""));
  draft.is_exact = is_exact_host(value.text().value_or(""));
  if (draft.host) return;
  bool is_url = value.text().value_or("").find("://") != std::string_view::npos;
  value.problem(is_url ? "must be a name or an address alone; a URL belongs in `url`"
                       : "must be a name such as smtp.example.com, or an address; a port belongs in `port`");
}

void read_port(const Value& value, SmarthostDraft& draft) {
  draft.port = parse_port(value.text().value_or(""));
  if (!draft.port) value.problem("must be a number from 1 to 65535, or smtp, submission or submissions");
}

const Choices<bool>& lookups() {
  static const Choices<bool> kLookups{{"host", false}, {"mx", true}};
  return kLookups;
}

void read_lookup(const Value& value, SmarthostDraft& draft) {
  if (auto by_mx = chosen(value, lookups())) draft.lookup_mx = *by_mx;
}
std::optional<YamlNode> show_lookup(const SmarthostDraft& draft) {
  if (draft.smarthost.direct) return std::nullopt;
  return word_node(lookups(), draft.lookup_mx.value_or(false));
}

void read_verify(const Value& value, SmarthostDraft& draft) {
  if (auto verify = value.as_bool()) draft.verify = *verify;
}

// People often write a port or a switch instead of the mode.
std::optional<std::string> explain_tls(std::string_view text) {
  if (auto port = parse_number(text); port && *port <= 65535) {
    auto mode = default_tls_mode(static_cast<std::uint16_t>(*port));
    std::string_view usual = !mode                        ? ""
                             : *mode == TlsMode::implicit ? "; with port 465 it is implicit by default"
                             : *mode == TlsMode::starttls ? "; with port 587 it is starttls by default"
                                                          : "; with port 25 it is opportunistic by default";
    return cat("a port belongs in `port`; tls is one of ", kTlsModes, usual);
  }
  for (std::string_view word : {"true", "yes", "on"})
    if (equals_ignoring_case(text, word))
      return cat("tls is one of ", kTlsModes, "; `", word, "` could mean implicit (465) or starttls (587)");
  for (std::string_view word : {"false", "no", "off"})
    if (equals_ignoring_case(text, word))
      return cat("tls is one of ", kTlsModes, "; to go without, write none");
  return std::nullopt;
}

const Choices<TlsMode>& tls_modes() {
  static const Choices<TlsMode> kModes{{"none", TlsMode::none},
                                       {"opportunistic", TlsMode::opportunistic},
                                       {"starttls", TlsMode::starttls},
                                       {"implicit", TlsMode::implicit}};
  return kModes;
}

void read_tls(const Value& value, SmarthostDraft& draft) {
  if (auto explanation = explain_tls(value.text().value_or("")))
    value.problem(*explanation);
  else if (auto mode = chosen(value, tls_modes()))
    draft.mode = *mode;
}
std::optional<YamlNode> show_tls(const SmarthostDraft& draft) {
  return draft.mode ? word_node(tls_modes(), *draft.mode) : YamlNode{};
}

// "sha256:AB:CD:…" as openssl prints it, or without the colons.
void read_fingerprint(const Value& value, Smarthost& smarthost) {
  std::string digits = to_lower(value.text().value_or(""));
  std::erase(digits, ':');
  bool has_prefix = digits.starts_with("sha256");
  digits.erase(0, has_prefix ? 6 : 0);
  bool is_hex = digits.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (has_prefix && digits.size() == 64 && is_hex)
    smarthost.tls.fingerprint = cat("sha256:", digits);
  else
    value.problem(
        "must be sha256: and 64 hexadecimal digits, as `openssl x509 -noout -fingerprint -sha256` prints "
        "them");
}

void read_tls_hostname(const Value& value, Smarthost& smarthost) {
  auto host = parse_host(value.text().value_or(""));
  if (host)
    smarthost.tls.hostname = *host;
  else
    value.problem("must be the name that stands in the smarthost's certificate");
}

const Schema<TlsSettings>& client_cert_schema() {
  static const Schema<TlsSettings> kSchema{{"cert", path(&TlsSettings::client_cert)},
                                           {"key", path(&TlsSettings::client_key)}};
  return kSchema;
}

void read_client_cert(const Value& value, Smarthost& smarthost) {
  if (!value.is_map()) return value.problem("must be {cert: FILE, key: FILE}");
  TlsSettings& tls = smarthost.tls;
  read_map(value, client_cert_schema(), tls);
  if (tls.client_cert.empty() != tls.client_key.empty()) value.problem("needs both `cert` and `key`");
}

bool is_mechanism(std::string_view name) {
  static constexpr std::string_view kKnown[] = {"EXTERNAL",   "SCRAM-SHA-256", "SCRAM-SHA-1",
                                                "DIGEST-MD5", "CRAM-MD5",      "PLAIN",
                                                "LOGIN",      "OAUTHBEARER",   "XOAUTH2"};
  return std::ranges::find(kKnown, name) != std::end(kKnown);
}

void read_mechanism(const Value& value, Smarthost& smarthost) {
  std::string name = to_upper(value.text().value_or(""));
  if (!is_mechanism(name))
    return value.problem(
        "must be auto, none, or a list of mechanisms out of EXTERNAL, SCRAM-SHA-256, SCRAM-SHA-1, "
        "DIGEST-MD5, "
        "CRAM-MD5, PLAIN, LOGIN, and with `oauth` OAUTHBEARER, XOAUTH2");
  if (std::ranges::find(smarthost.mechanisms, name) != smarthost.mechanisms.end())
    return value.problem("this mechanism appears twice");
  smarthost.mechanisms.push_back(name);
}

void read_auth(const Value& value, Smarthost& smarthost) {
  if (value.text() == "auto") return;
  if (value.text() == "none") return void(smarthost.auth = false);
  if (value.elements().empty()) value.problem("names no mechanism; write none to go without logging in");
  for (const Value& element : value.elements()) read_mechanism(element, smarthost);
}

void read_name(const Value& value, Smarthost& smarthost) {
  static constexpr std::string_view kExpected = "a name of letters, digits, dots, hyphens and underscores";
  auto name = value.as_text(kExpected);
  bool is_plain = name && name->size() <= 64 && std::ranges::all_of(*name, [](char c) {
                    return is_alpha(c) || is_digit(c) || c == '.' || c == '-' || c == '_';
                  });
  if (is_plain)
    smarthost.name = *name;
  else if (name)
    value.problem(cat("must be ", kExpected, ", at most 64"));
}

void read_from_address(const Value& value, SmarthostDraft& draft) { draft.from = own_address(value); }

// The recipients' own servers have no host.
std::optional<YamlNode> show_url(const SmarthostDraft& draft) {
  return draft.smarthost.direct ? std::optional(to_node(std::string_view("mx:"))) : std::nullopt;
}
std::optional<YamlNode> show_preset(const SmarthostDraft& draft) { return to_node(draft.smarthost.preset); }
std::optional<YamlNode> show_host(const SmarthostDraft& draft) {
  return draft.smarthost.direct ? std::nullopt : std::optional(to_node(draft.host));
}
std::optional<YamlNode> show_tls_hostname(const Smarthost& smarthost) {
  return to_node(smarthost.tls.hostname);
}
std::optional<YamlNode> show_fingerprint(const Smarthost& smarthost) {
  return to_node(smarthost.tls.fingerprint);
}
std::optional<YamlNode> show_client_cert(const Smarthost& smarthost) {
  if (smarthost.tls.client_cert.empty()) return YamlNode{};
  return show_map(client_cert_schema(), smarthost.tls);
}
std::optional<YamlNode> show_auth(const Smarthost& smarthost) {
  if (smarthost.direct) return std::nullopt;
  if (!smarthost.auth) return to_node(std::string_view("none"));
  if (smarthost.mechanisms.empty()) return to_node(std::string_view("auto"));
  return to_node(smarthost.mechanisms);
}
// A list without an element is refused.
std::optional<YamlNode> show_rates(const Smarthost& smarthost) {
  return smarthost.rates.empty() ? YamlNode{} : to_node(smarthost.rates);
}

const Schema<SmtpTimeouts>& timeout_schema() {
  static const Schema<SmtpTimeouts> kSchema{{"connect", duration(&SmtpTimeouts::connect, 100ms, 24h)},
                                            {"greeting", duration(&SmtpTimeouts::greeting, 100ms, 24h)},
                                            {"command", duration(&SmtpTimeouts::command, 100ms, 24h)},
                                            {"data", duration(&SmtpTimeouts::data, 100ms, 24h)}};
  return kSchema;
}

void read_omit(const Value& value, SmarthostDraft& draft) {
  draft.says_omit = true;
  for (const Value& element : value.elements()) {
    const std::string_view name = element.text().value_or("");
    if (!mail::is_field_name(name))
      element.problem("must be the name of a header field that the smarthost changes, such as Message-ID");
    else if (equals_ignoring_case(name, "From"))
      element.problem("must be signed: a signature that leaves out From counts for nobody (RFC 6376 5.4)");
    else
      draft.smarthost.dkim.omit.emplace_back(name);
  }
}
std::optional<YamlNode> show_omit(const SmarthostDraft& draft) { return to_node(draft.smarthost.dkim.omit); }

const Schema<SmarthostDraft>& signing_schema() {
  static const Schema<SmarthostDraft> kSchema{
      {"sign",
       within(&SmarthostDraft::smarthost, within(&Smarthost::dkim, boolean(&mail::SigningRules::sign)))},
      {"omit", custom(read_omit, show_omit)}};
  return kSchema;
}
void read_signing(const Value& value, SmarthostDraft& draft) { read_map(value, signing_schema(), draft); }
std::optional<YamlNode> show_signing(const SmarthostDraft& draft) {
  return show_map(signing_schema(), draft);
}

// Entries for parts of the draft, made from entries for the part.
Read<SmarthostDraft> in_smarthost(Read<Smarthost> read) {
  return within(&SmarthostDraft::smarthost, std::move(read));
}
Read<SmarthostDraft> in_tls(Read<TlsSettings> read) {
  return in_smarthost(within(&Smarthost::tls, std::move(read)));
}

}  // namespace

void read_url(const Value& value, SmarthostDraft& draft) {
  draft.has_target = true;
  auto text = value.as_text("a URL such as submission://smtp.example.com");
  if (!text) return;
  auto url = parse_smarthost_url(*text);
  if (url)
    draft.url = *url;
  else
    value.problem(url.error());
}

YamlNode show_smarthost(const Smarthost& smarthost) {
  SmarthostDraft draft;
  draft.smarthost = smarthost;
  draft.host = smarthost.host;
  draft.port = smarthost.port;
  draft.mode = smarthost.tls.mode;
  draft.lookup_mx = smarthost.lookup_mx;
  draft.verify = smarthost.tls.verify;
  return show_map(smarthost_schema(), draft);
}

const Schema<SmarthostDraft>& smarthost_schema() {
  static const Schema<SmarthostDraft> kSchema{
      {"name", in_smarthost(custom(read_name, &Smarthost::name))},
      {"url", custom(read_url, show_url)},
      {"host", custom(read_host, show_host)},
      {"port", custom(read_port, &SmarthostDraft::port)},
      {"lookup", custom(read_lookup, show_lookup)},
      {"preset", custom(read_preset, show_preset)},
      {"tls", custom(read_tls, show_tls)},
      {"tls_verify", custom(read_verify, &SmarthostDraft::verify)},
      {"tls_hostname", in_smarthost(custom(read_tls_hostname, show_tls_hostname))},
      {"tls_ca_file", in_tls(path(&TlsSettings::ca_file))},
      {"tls_fingerprint", in_smarthost(custom(read_fingerprint, show_fingerprint))},
      {"tls_min_version", in_tls(choice(&TlsSettings::min_version, {{"1.0", TlsVersion::tls1_0},
                                                                    {"1.1", TlsVersion::tls1_1},
                                                                    {"1.2", TlsVersion::tls1_2},
                                                                    {"1.3", TlsVersion::tls1_3}}))},
      {"tls_client_cert", in_smarthost(custom(read_client_cert, show_client_cert))},
      {"auth", in_smarthost(custom(read_auth, show_auth))},
      {"user", in_smarthost(text(&Smarthost::user, "a user name of authinfo, or with `oauth` the account"))},
      {"oauth", in_smarthost(custom(read_oauth, show_oauth))},
      {"allow_plaintext_auth", in_smarthost(boolean(&Smarthost::allow_plaintext_auth))},
      {"connections", in_smarthost(count(&Smarthost::connections, 1, 1000))},
      {"messages_per_connection", in_smarthost(count(&Smarthost::messages_per_connection, 1, 1'000'000))},
      {"rate", in_smarthost(custom(read_rates, show_rates))},
      {"dkim", custom(read_signing, show_signing)},
      {"from", short_for_others(read_from_address)},
      {"rewrite", in_smarthost(section(&Smarthost::rewrite, rewrite_schema()))},
      {"headers", in_smarthost(section(&Smarthost::rewrite, headers_schema()))},
      {"received", in_smarthost(within(&Smarthost::rewrite, received_key()))},
      {"timeout", in_smarthost(section(&Smarthost::timeout, timeout_schema()))},
  };
  return kSchema;
}

}  // namespace hikyaku::config
