// SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/hostname.h"
#include "daemon/import/postfix_smarthosts.h"

namespace hikyaku::importing {
namespace {

constexpr std::string_view kTlsParameters[] = {"smtp_use_tls",
                                               "smtp_enforce_tls",
                                               "smtp_tls_security_level",
                                               "smtp_tls_wrappermode",
                                               "smtp_tls_policy_maps",
                                               "smtp_tls_CAfile",
                                               "smtp_tls_CApath",
                                               "smtp_tls_cert_file",
                                               "smtp_tls_key_file",
                                               "smtp_tls_protocols",
                                               "smtp_tls_mandatory_protocols",
                                               "smtp_tls_fingerprint_cert_match",
                                               "smtp_tls_fingerprint_digest"};

// What Debian, Red Hat, Alpine and FreeBSD trust by default, as hikyaku does.
constexpr std::string_view kSystemBundles[] = {"/etc/ssl/certs/ca-certificates.crt",
                                               "/etc/pki/tls/certs/ca-bundle.crt",
                                               "/etc/pki/tls/cert.pem",
                                               "/etc/ssl/cert.pem",
                                               "/etc/ssl/certs",
                                               "/etc/ssl/certs/"};

bool is_system_bundle(std::string_view path) {
  return std::ranges::find(kSystemBundles, path) != std::end(kSystemBundles);
}

bool is_checking(std::string_view level) {
  return level == "verify" || level == "secure" || level == "fingerprint" || level == "dane-only";
}

TlsWish wish_for(std::string_view level) {
  if (level == "none") return TlsWish::none;
  if (level.empty()) return TlsWish::unsaid;
  return level == "may" || level == "dane" ? TlsWish::opportunistic : TlsWish::starttls;
}

// The lowest version that a list such as "!SSLv2, !SSLv3, !TLSv1" or ">=TLSv1.2" leaves.
TlsVersion lowest_of(std::string_view protocols) {
  static constexpr std::pair<std::string_view, TlsVersion> kVersions[] = {{"TLSv1", TlsVersion::tls1_0},
                                                                          {"TLSv1.1", TlsVersion::tls1_1},
                                                                          {"TLSv1.2", TlsVersion::tls1_2},
                                                                          {"TLSv1.3", TlsVersion::tls1_3}};
  const auto parts = list_of(protocols);
  auto has = [&](std::string_view word) { return std::ranges::find(parts, word) != parts.end(); };
  const bool names_some = std::ranges::any_of(
      parts, [](std::string_view part) { return !part.starts_with('!') && !part.starts_with('>'); });
  for (const auto& [name, version] : kVersions) {
    if (has(cat(">=", name))) return version;
    if (names_some ? has(name) : !has(cat("!", name)) && !protocols.contains(">=")) return version;
  }
  return TlsVersion::tls1_2;
}

}  // namespace

PostfixTls::PostfixTls(const PostfixParameters& parameters, const ReadText& read, Imported& imported)
    : parameters_(parameters), imported_(imported) {
  constexpr std::string_view kKey = "smtp_tls_policy_maps";
  const Place place = parameters.place_of(kKey);
  policies_ = read_maps(parameters.value_of(kKey), place, kKey, read, imported);
}

bool PostfixTls::knows(std::string_view parameter) {
  return std::ranges::find(kTlsParameters, parameter) != std::end(kTlsParameters);
}

const MapRow* PostfixTls::policy_for(std::string_view next_hop) const {
  auto found = std::ranges::find_if(
      policies_, [&](const MapRow& row) { return equals_ignoring_case(row.key, next_hop); });
  return found == policies_.end() ? nullptr : &*found;
}

std::string PostfixTls::level_for(std::string_view next_hop) const {
  if (const MapRow* policy = policy_for(next_hop)) return std::string(first_word(policy->value).word);
  const std::string level = parameters_.value_of("smtp_tls_security_level");
  if (!level.empty()) return level;
  if (parameters_.is_yes("smtp_enforce_tls")) return "verify";
  return parameters_.is_yes("smtp_use_tls") ? "may" : "";
}

void PostfixTls::apply(std::string_view next_hop, Hop& hop) const {
  const std::string level = level_for(next_hop);
  hop.tls = parameters_.is_yes("smtp_tls_wrappermode") ? TlsWish::implicit : wish_for(level);
  hop.is_verified = is_checking(level);
  if (level.starts_with("dane"))
    imported_.remark(hop.place, "",
                     "DANE has no counterpart; certificates are checked by their issuer instead");
}

mail::Smarthost& PostfixTls::refine(std::string_view next_hop, mail::Smarthost& smarthost) const {
  const MapRow* policy = policy_for(next_hop);
  if (policy == nullptr) return smarthost;
  for (std::string_view attribute : words(first_word(policy->value).rest)) {
    const std::string_view value = attribute.substr(std::min(attribute.find('=') + 1, attribute.size()));
    auto host = config::parse_host(value);
    if (attribute.starts_with("match=") && host && host->contains('.') && value != "hostname")
      smarthost.tls.hostname = *host;
    else if (!attribute.starts_with("match="))
      imported_.remark(policy->place, attribute.substr(0, attribute.find('=')),
                       "has no counterpart in a single policy, so it was left out");
  }
  return smarthost;
}

void PostfixTls::import_common() {
  for (std::string_view key : {"smtp_tls_CAfile", "smtp_tls_CApath"}) {
    const std::string path = parameters_.value_of(key);
    if (path.empty() || is_system_bundle(path)) continue;
    if (key == "smtp_tls_CApath")
      imported_.remark(parameters_.place_of(key), key,
                       "is a directory; put its certificates into one `tls_ca_file`");
    else
      for (mail::Smarthost& smarthost : imported_.settings.smarthosts) smarthost.tls.ca_file = path;
  }
  if (parameters_.find("smtp_tls_fingerprint_cert_match") != nullptr)
    imported_.remark(parameters_.place_of("smtp_tls_fingerprint_cert_match"),
                     "smtp_tls_fingerprint_cert_match",
                     "pins a certificate; write its SHA-256 fingerprint into `tls_fingerprint`");
  import_protocols();
  import_client_certificate();
}

void PostfixTls::import_protocols() {
  for (std::string_view key : {"smtp_tls_mandatory_protocols", "smtp_tls_protocols"}) {
    const std::string protocols = parameters_.value_of(key);
    if (protocols.empty()) continue;
    const TlsVersion lowest = lowest_of(protocols);
    if (lowest < TlsVersion::tls1_2)
      imported_.remark(parameters_.place_of(key), key,
                       "allows TLS below 1.2; hikyaku does not, unless `tls_min_version` says so");
    else
      for (mail::Smarthost& smarthost : imported_.settings.smarthosts) smarthost.tls.min_version = lowest;
    return;
  }
}

void PostfixTls::import_client_certificate() {
  const std::string certificate = parameters_.value_of("smtp_tls_cert_file");
  std::string key = parameters_.value_of("smtp_tls_key_file");
  if (key.empty()) key = certificate;
  if (certificate.empty()) return;
  for (mail::Smarthost& smarthost : imported_.settings.smarthosts) {
    if (smarthost.direct) continue;
    smarthost.tls.client_cert = certificate;
    smarthost.tls.client_key = key;
  }
  imported_.remark(parameters_.place_of("smtp_tls_cert_file"), "smtp_tls_cert_file",
                   cat("the user hikyaku has to be able to read this certificate and its key"));
}

}  // namespace hikyaku::importing
