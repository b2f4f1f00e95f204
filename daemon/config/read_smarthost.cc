// SPDX-License-Identifier: MIT
#include <algorithm>
#include <set>
#include <utility>

#include "daemon/base/ip.h"
#include "daemon/base/text.h"
#include "daemon/config/hostname.h"
#include "daemon/config/rewriting_keys.h"
#include "daemon/config/smarthost_draft.h"
#include "daemon/config/yaml_text.h"

namespace hikyaku::config {
namespace {

using mail::Smarthost;
using mail::TlsMode;

// A URL says host, TLS and perhaps port; whoever says one of them again must say the same.
void merge_url(const Value& value, SmarthostDraft& draft) {
  const SmarthostUrl& url = *draft.url;
  if (draft.host) value.problem("has both `url` and `host`; write one of them");
  if (draft.mode && draft.mode != url.mode && !url.is_direct)
    value.problem(
        "`url` and `tls` contradict each other: smtps is implicit, submission is starttls, smtp is "
        "opportunistic; write `host` instead of `url` to combine them freely");
  if (draft.port && url.port && draft.port != url.port)
    value.problem("has one port in `url` and another in `port`");
  draft.host = url.host;
  draft.is_exact = url.is_exact;
  if (!url.is_direct) draft.mode = url.mode;
  if (url.port) draft.port = url.port;
}

// What makes no sense for the recipients' own servers.
struct NotDirect {
  bool (*applies)(const SmarthostDraft&);
  std::string_view text;
};

constexpr NotDirect kNotDirect[] = {
    {[](const SmarthostDraft& d) {
       return !d.smarthost.user.empty() || !d.smarthost.mechanisms.empty() || d.smarthost.oauth;
     },
     "`mx:` never logs in, because the recipients' servers have no account of yours: remove `user`, "
     "`auth` and `oauth`; "
     "for a smarthost that you log in to, write its `host`"},
    {[](const SmarthostDraft& d) { return d.smarthost.allow_plaintext_auth; },
     "`mx:` never logs in, so there is no password: remove `allow_plaintext_auth`"},
    {[](const SmarthostDraft& d) { return d.lookup_mx == false; },
     "`mx:` looks up the MX records of each recipient's domain: remove `lookup`"},
    {[](const SmarthostDraft& d) { return d.mode == TlsMode::implicit; },
     "the recipients' servers speak no TLS from the first byte: tls is one of opportunistic, starttls, none"},
    {[](const SmarthostDraft& d) {
       const mail::TlsSettings& tls = d.smarthost.tls;
       return !tls.hostname.empty() || !tls.fingerprint.empty() || !tls.client_cert.empty();
     },
     "`tls_hostname`, `tls_fingerprint` and `tls_client_cert` are for one server, and `mx:` means many: "
     "remove "
     "them"},
};

Smarthost finish_direct(const Value& value, SmarthostDraft draft) {
  for (const NotDirect& row : kNotDirect)
    if (row.applies(draft)) value.problem(std::string(row.text));
  Smarthost& smarthost = draft.smarthost;
  smarthost.direct = true;
  smarthost.auth = false;
  smarthost.port = draft.port.value_or(default_port(TlsMode::opportunistic));
  smarthost.tls.mode = draft.mode.value_or(TlsMode::opportunistic);
  smarthost.tls.verify = draft.verify.value_or(false);
  if (smarthost.name.empty()) smarthost.name = "direct";
  return smarthost;
}

// MX names rarely stand in a certificate that is for the domain.
void finish_lookup(const Value& value, SmarthostDraft& draft) {
  draft.smarthost.lookup_mx = draft.lookup_mx.value_or(false);
  draft.smarthost.tls.verify = draft.verify.value_or(!draft.smarthost.lookup_mx);
  if (draft.smarthost.lookup_mx && draft.is_exact)
    value.problem(
        "`lookup: mx` and a host in brackets, or an address, contradict each other: those are used as they "
        "are");
}

std::optional<Smarthost> finish(const Value& value, SmarthostDraft draft) {
  Smarthost& smarthost = draft.smarthost;
  apply_preset(value, draft);
  if (draft.url) merge_url(value, draft);
  if (draft.from) apply_from(value, *draft.from, smarthost.rewrite);
  if (!draft.host) return std::nullopt;
  if (draft.url && draft.url->is_direct) return finish_direct(value, std::move(draft));
  finish_lookup(value, draft);
  smarthost.host = *draft.host;
  smarthost.port = draft.port.value_or(default_port(draft.mode.value_or(TlsMode::opportunistic)));
  auto mode = draft.mode ? draft.mode : default_tls_mode(smarthost.port);
  if (!mode) value.problem(cat("this port says nothing about TLS: add `tls`, one of ", kTlsModes));
  smarthost.tls.mode = mode.value_or(TlsMode::implicit);
  if (smarthost.name.empty()) smarthost.name = smarthost.host;
  finish_oauth(value, smarthost);
  return smarthost;
}

using mail::TlsMode;

constexpr std::string_view kForms =
    "smtps://HOST (implicit TLS, 465), submission://HOST (STARTTLS, 587) or smtp://HOST (25); mx: alone "
    "means the "
    "recipients' own servers";

std::optional<TlsMode> mode_of(std::string_view scheme) {
  static constexpr std::pair<std::string_view, TlsMode> kSchemes[] = {{"smtps", TlsMode::implicit},
                                                                      {"submissions", TlsMode::implicit},
                                                                      {"submission", TlsMode::starttls},
                                                                      {"smtp", TlsMode::opportunistic}};
  for (const auto& [name, mode] : kSchemes)
    if (equals_ignoring_case(scheme, name)) return mode;
  return std::nullopt;
}

// What somebody meant who wrote another word for a unit. `m` is not simply taken: it could be a month.
std::string_view meant_unit(std::string_view word) {
  static constexpr std::pair<std::string_view, std::string_view> kOthers[] = {
      {"sec", "s"}, {"second", "s"}, {"m", "min"}, {"minute", "min"},
      {"hr", "h"},  {"hour", "h"},   {"d", "day"}};
  for (const auto& [other, unit] : kOthers)
    if (equals_ignoring_case(word, other)) return unit;
  for (std::string_view unit : mail::kRateUnits)
    if (word != unit && equals_ignoring_case(word, unit)) return unit;
  return {};
}

std::string explain(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view meant = slash == text.npos ? "" : meant_unit(text.substr(slash + 1));
  return cat(
      "must be a whole number from 1 to ", std::to_string(mail::kMaxRate),
      ", a slash and a unit out of s, min, h, day, such as 60/min (messages) or 10000 recipients/day, or a "
      "list such as [14/s, 10000/day]",
      meant.empty() ? "" : cat("; did you mean /", meant, "?"));
}

void read_rate(const Value& value, mail::Smarthost& smarthost) {
  const std::string_view text = value.text().value_or("");
  auto rate = mail::parse_rate(text);
  if (!rate) return value.problem(explain(text));
  if (std::ranges::any_of(smarthost.rates, [&](const mail::Rate& other) {
        return other.unit == rate->unit && other.of == rate->of;
      }))
    return value.problem("another rate has this unit; write each unit once");
  smarthost.rates.push_back(*rate);
}

}  // namespace

std::optional<Smarthost> read_smarthost(const Value& value) {
  SmarthostDraft draft;
  if (!value.is_map()) {
    const bool is_name = may_be_preset_name(value.text().value_or(""));
    is_name ? read_preset(value, draft) : read_url(value, draft);
    return finish(value, std::move(draft));
  }
  read_map(value, smarthost_schema(), draft);
  if (!draft.has_target) value.problem("needs `host`, `url` or `preset`");
  return finish(value, std::move(draft));
}

std::vector<Smarthost> read_smarthosts(const Value& value) {
  std::vector<Smarthost> smarthosts;
  std::set<std::string> names;
  if (!value.is_list()) {
    value.problem("must be a list, with a line `- host: …` or `- url: …` for each smarthost");
    return smarthosts;
  }
  for (const Value& element : value.elements()) {
    auto smarthost = read_smarthost(element);
    if (smarthost && !names.insert(to_lower(smarthost->name)).second)
      element.problem("another smarthost has this name already; give each its own `name`");
    if (smarthost) smarthosts.push_back(std::move(*smarthost));
  }
  if (value.elements().empty()) value.problem("must have at least one smarthost");
  return smarthosts;
}

Result<SmarthostUrl, std::string> parse_smarthost_url(std::string_view url) {
  if (url.find('@') != url.npos)
    return std::unexpected(
        "must not hold a user or a password: this file may be read by others; put them into the authinfo "
        "file, as "
        "`machine HOST login USER password PASSWORD`");
  if (equals_ignoring_case(url, "mx:"))
    return SmarthostUrl{.mode = TlsMode::opportunistic, .host = "", .port = {}, .is_direct = true};
  if (starts_with_ignoring_case(url, "mx:"))
    return std::unexpected(
        "`mx:` stands alone: mail goes to the servers of each recipient's domain; for the servers of one "
        "domain "
        "write `host: DOMAIN` and `lookup: mx`");
  std::size_t end = url.find("://");
  auto mode = end == url.npos ? std::nullopt : mode_of(url.substr(0, end));
  if (!mode) return std::unexpected(cat("must be ", kForms));
  std::string_view place = url.substr(end + 3);
  if (place.ends_with('/')) place.remove_suffix(1);
  if (place.find_first_of("/?#") != place.npos)
    return std::unexpected("must end after the host and port: there is no path in it");
  auto target = parse_host_port(place);
  if (!target)
    return std::unexpected(
        "must name a host, such as smtp.example.com, [smtp.example.com], 192.0.2.1 or [2001:db8::1], and "
        "after it at "
        "most :PORT");
  return SmarthostUrl{*mode, target->host, target->port,
                      place.starts_with('[') || IpAddress::parse(target->host).has_value()};
}

Result<Smarthost, std::string> smarthost_at(std::string_view url) {
  auto parsed = parse_smarthost_url(url);
  if (!parsed) return std::unexpected(parsed.error());
  if (parsed->is_direct) return std::unexpected("must be one server: `mx:` stands for many");
  const YamlNode node = to_node(url);
  Report report;
  auto smarthost = read_smarthost(Value(node, "", report));
  if (!report.problems.empty()) return std::unexpected(report.problems.front().text);
  return std::move(*smarthost);
}

std::uint16_t default_port(TlsMode mode) {
  if (mode == TlsMode::implicit) return 465;
  return mode == TlsMode::starttls ? 587 : 25;
}

std::optional<TlsMode> default_tls_mode(std::uint16_t port) {
  switch (port) {
    case 465: return TlsMode::implicit;
    case 587: return TlsMode::starttls;
    case 25: return TlsMode::opportunistic;
    default: return std::nullopt;
  }
}

void read_rates(const Value& value, mail::Smarthost& smarthost) {
  if (value.elements().empty()) value.problem("names no rate; to send without a limit, remove the key");
  for (const Value& element : value.elements()) read_rate(element, smarthost);
}

}  // namespace hikyaku::config
