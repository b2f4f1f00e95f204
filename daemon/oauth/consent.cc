// SPDX-License-Identifier: MIT
#include "daemon/oauth/consent.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "daemon/base/random.h"
#include "daemon/base/text.h"
#include "daemon/oauth/jwt.h"

namespace hikyaku::oauth {
namespace {

constexpr Duration kSlowDown = 5s;  // RFC 8628 3.5

// `bytes` of randomness in the alphabet of URLs.
template <std::size_t bytes>
std::string drawn() {
  std::array<std::uint8_t, bytes> random{};
  fill_random(random);
  return to_base64url({reinterpret_cast<const char*>(random.data()), random.size()});
}

std::string percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : std::nullopt;
    const auto low = high ? hex_value(text[i + 2]) : std::nullopt;
    if (low) i += 2;
    decoded += low ? static_cast<char>(*high * 16 + *low) : text[i] == '+' ? ' ' : text[i];
  }
  return decoded;
}

// A parameter that is there twice is none: RFC 6749 3.1.
std::map<std::string, std::string> parameters_in(std::string_view query) {
  std::map<std::string, std::string> found;
  for (std::string_view pair : split(query.substr(0, query.find('#')), '&')) {
    const auto equals = std::min(pair.find('='), pair.size());
    auto [at, is_new] = found.emplace(percent_decode(pair.substr(0, equals)),
                                      percent_decode(pair.substr(std::min(equals + 1, pair.size()))));
    if (!is_new) at->second.clear();
  }
  return found;
}

// The same length of work whatever fits: the state is a secret of this attempt.
bool are_equal(std::string_view a, std::string_view b) {
  unsigned char differs = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    differs |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return differs == 0;
}

// Microsoft's has the tenant's id in it, which nobody knows beforehand.
bool is_issuer(std::string_view said, std::string_view expected) {
  const auto hole = expected.find("{tenantid}");
  if (expected.empty()) return true;
  if (hole == expected.npos) return said == expected;
  const auto before = expected.substr(0, hole);
  const auto behind = expected.substr(hole + std::string_view("{tenantid}").size());
  if (said.size() < before.size() + behind.size() || !said.starts_with(before) || !said.ends_with(behind))
    return false;
  const auto tenant = said.substr(before.size(), said.size() - before.size() - behind.size());
  return !tenant.empty() && tenant.find('/') == tenant.npos;
}

}  // namespace

BrowserConsent begin_consent(const mail::OAuthSettings& settings, const std::string& user,
                             std::uint16_t port) {
  BrowserConsent consent;
  consent.state = drawn<16>();
  const std::string verifier = drawn<32>();
  consent.redirect_uri = cat("http://127.0.0.1:", std::to_string(port));
  const bool is_google = settings.provider == mail::OAuthProvider::google;
  consent.url =
      cat(settings.authorize_url, settings.authorize_url.find('?') == std::string::npos ? "?" : "&",
          "response_type=code&client_id=", percent_encode(settings.client_id),
          "&redirect_uri=", percent_encode(consent.redirect_uri), "&scope=", percent_encode(settings.scope),
          "&state=", consent.state, "&code_challenge=", to_base64url(sha256(verifier)),
          "&code_challenge_method=S256&login_hint=", percent_encode(user),
          is_google ? "&access_type=offline&prompt=consent" : "");
  consent.verifier = Secret(verifier);
  return consent;
}

Redirect understand_redirect(std::string_view target, const BrowserConsent& consent,
                             const mail::OAuthSettings& settings) {
  if (target.starts_with(consent.redirect_uri)) target.remove_prefix(consent.redirect_uri.size());
  const auto question = target.find('?');
  if (question == target.npos || (target.substr(0, question) != "/" && question != 0)) return {};
  auto said = parameters_in(target.substr(question + 1));
  if (!are_equal(said["state"], consent.state)) return {};
  const auto issuer = said.find("iss");
  if (issuer != said.end() && !is_issuer(issuer->second, settings.issuer))
    return {RedirectKind::refused, {}, "the answer comes from another provider than was asked (iss)"};
  if (const std::string& error = said["error"]; !error.empty())
    return {RedirectKind::refused, {}, printable(error, 80)};
  if (said["code"].empty()) return {};
  return {RedirectKind::code, Secret(said["code"]), ""};
}

Result<Grant, TokenError> wait_for_device(const mail::OAuthSettings& settings, const DeviceCode& code,
                                          TokenEndpoint& endpoint, const Clock& clock,
                                          const std::function<bool(Duration)>& pause) {
  const Instant end = clock.now() + code.lifetime;
  Duration interval = code.interval;
  TokenError last{TokenTrouble::denied, "nobody has typed the code in time"};
  while (clock.now() + interval < end) {
    if (!pause(interval)) return std::unexpected(TokenError{TokenTrouble::denied, "broken off"});
    auto grant = poll_device(settings, code, endpoint, clock.wall());
    if (grant) return grant;
    const TokenTrouble kind = grant.error().kind;
    if (kind == TokenTrouble::slow_down) interval += kSlowDown;
    if (kind == TokenTrouble::transient) interval = std::min<Duration>(interval * 2, 1min);
    const bool goes_on =
        kind == TokenTrouble::pending || kind == TokenTrouble::slow_down || kind == TokenTrouble::transient;
    if (!goes_on) return grant;
    if (kind == TokenTrouble::transient) last = std::move(grant.error());
  }
  return std::unexpected(std::move(last));
}

}  // namespace hikyaku::oauth
