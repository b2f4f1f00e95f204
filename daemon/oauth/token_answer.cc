// SPDX-License-Identifier: MIT
#include "daemon/oauth/token_answer.h"

#include <algorithm>
#include <cmath>

#include "daemon/base/base64.h"
#include "daemon/base/json_value.h"
#include "daemon/base/text.h"

namespace hikyaku::oauth {
namespace {

constexpr std::size_t kMostDescription = 200;
constexpr std::size_t kMostScope = 1000;
constexpr std::size_t kMostToken = 16 * 1024;
constexpr double kMostSeconds = 10.0 * 365 * 86'400;

struct KnownError {
  std::string_view error;
  TokenTrouble kind;
};

// Whatever is not here and comes with 4yz is the client's.
constexpr KnownError kErrors[] = {
    {"invalid_grant", TokenTrouble::consent},
    {"interaction_required", TokenTrouble::consent},
    {"consent_required", TokenTrouble::consent},
    {"login_required", TokenTrouble::consent},
    {"temporarily_unavailable", TokenTrouble::transient},
    {"server_error", TokenTrouble::transient},
    {"authorization_pending", TokenTrouble::pending},
    {"slow_down", TokenTrouble::slow_down},
    {"access_denied", TokenTrouble::denied},
    {"authorization_declined", TokenTrouble::denied},  // Microsoft's word for it
    {"expired_token", TokenTrouble::denied},
    {"bad_verification_code", TokenTrouble::denied},
};

bool is_transient(int status) { return status == 408 || status == 429 || status >= 500; }

// The first line: Microsoft adds trace ids and times on further ones.
std::string shown_description(const JsonValue& json) {
  const std::string text = json.text_of("error_description");
  return printable(trim(text.substr(0, text.find_first_of("\r\n"))), kMostDescription);
}

TokenError error_of(const JsonValue& json, const EndpointAnswer& answer) {
  const std::string error = json.text_of("error");
  const std::string description = shown_description(json);
  TokenError found{TokenTrouble::client, printable(error, 80), answer.retry_after};
  if (!description.empty()) found.text += cat(": ", description);
  if (error.empty()) found.text = cat("HTTP status ", std::to_string(answer.status));
  const auto known = std::ranges::find(kErrors, error, &KnownError::error);
  if (known != std::end(kErrors)) found.kind = known->kind;
  if (is_transient(answer.status)) found.kind = TokenTrouble::transient;
  return found;
}

// Providers send a number, a number as a text, or nothing.
Duration lifetime_of(const JsonValue& json, std::string_view name, Duration otherwise) {
  const JsonValue* value = json.find(name);
  if (value == nullptr) return otherwise;
  std::optional<double> seconds = value->number();
  if (!seconds && value->text() != nullptr)
    if (auto whole = parse_number(*value->text())) seconds = static_cast<double>(*whole);
  if (!seconds || !std::isfinite(*seconds) || *seconds <= 0) return otherwise;
  return std::chrono::seconds(static_cast<std::int64_t>(std::min(*seconds, kMostSeconds)));
}

// Goes into a line of the dialogue as it is.
bool is_token(std::string_view token) {
  return !token.empty() && token.size() <= kMostToken &&
         std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7f; });
}

Result<Grant, TokenError> grant_of(const JsonValue& json) {
  Grant grant;
  grant.access_token = Secret(json.text_of("access_token"));
  grant.refresh_token = Secret(json.text_of("refresh_token"));
  grant.lifetime = lifetime_of(json, "expires_in", kUsualLifetime);
  grant.scope = printable(json.text_of("scope"), kMostScope);
  grant.account = account_in(json.text_of("id_token"));
  if (grant.account.empty()) grant.account = account_in(grant.access_token.reveal());
  const bool has_odd_refresh = !grant.refresh_token.empty() && !is_token(grant.refresh_token.reveal());
  if (is_token(grant.access_token.reveal()) && !has_odd_refresh) return grant;
  return std::unexpected(TokenError{TokenTrouble::transient, "the answer holds no usable access_token"});
}

TokenError not_json(const EndpointAnswer& answer) {
  return {TokenTrouble::transient, cat("HTTP status ", std::to_string(answer.status), ", and no JSON"),
          answer.retry_after};
}

// Base64 in the alphabet of URLs, without padding (RFC 7515 2).
std::optional<std::string> from_base64url(std::string_view text) {
  std::string standard(text);
  std::ranges::replace(standard, '-', '+');
  std::ranges::replace(standard, '_', '/');
  while (standard.size() % 4 != 0) standard += '=';
  return from_base64(standard);
}

}  // namespace

Result<Grant, TokenError> parse_token_answer(const EndpointAnswer& answer) {
  auto json = parse_json(answer.body.reveal());
  if (!json || json->members() == nullptr) return std::unexpected(not_json(answer));
  const bool is_error = answer.status != 200 || json->find("error") != nullptr;
  if (is_error) return std::unexpected(error_of(*json, answer));
  auto grant = grant_of(*json);
  if (!grant) grant.error().retry_after = answer.retry_after;
  return grant;
}

Result<Grant, TokenError> parse_token_text(std::string_view printed) {
  constexpr std::string_view kAround = " \t\r\n";
  const auto first = std::min(printed.find_first_not_of(kAround), printed.size());
  const std::string_view text = printed.substr(first, printed.find_last_not_of(kAround) + 1 - first);
  if (text.starts_with('{')) {
    auto json = parse_json(text);
    if (json) return grant_of(*json);
    return std::unexpected(TokenError{TokenTrouble::setup, "what it printed begins like JSON and is none"});
  }
  Grant grant;
  grant.access_token = Secret(std::string(text));
  if (!is_token(text)) return std::unexpected(TokenError{TokenTrouble::setup, "what it printed is no token"});
  grant.account = account_in(text);
  return grant;
}

Result<DeviceCode, TokenError> parse_device_answer(const EndpointAnswer& answer) {
  auto json = parse_json(answer.body.reveal());
  if (!json || json->members() == nullptr) return std::unexpected(not_json(answer));
  if (answer.status != 200) return std::unexpected(error_of(*json, answer));
  DeviceCode code;
  code.device_code = Secret(json->text_of("device_code"));
  code.user_code = printable(json->text_of("user_code"), 80);
  code.url = printable(json->text_of("verification_uri"), 300);
  if (code.url.empty()) code.url = printable(json->text_of("verification_url"), 300);  // Google's older name
  code.complete_url = printable(json->text_of("verification_uri_complete"), 400);
  code.lifetime = lifetime_of(*json, "expires_in", code.lifetime);
  code.interval = std::clamp<Duration>(lifetime_of(*json, "interval", code.interval), 1s, 1min);
  if (!code.device_code.empty() && !code.user_code.empty() && !code.url.empty()) return code;
  return std::unexpected(TokenError{TokenTrouble::transient, "the answer holds no code for the device flow"});
}

TokenTrouble trouble_named(std::string_view text) {
  constexpr std::string_view kClients[] = {"invalid_client", "unauthorized_client", "invalid_scope",
                                           "invalid_request"};
  const std::string_view name = text.substr(0, text.find(':'));
  const auto known = std::ranges::find(kErrors, name, &KnownError::error);
  if (known != std::end(kErrors)) return known->kind;
  const bool is_client = std::ranges::find(kClients, name) != std::end(kClients);
  return is_client ? TokenTrouble::client : TokenTrouble::transient;
}

std::string account_in(std::string_view jwt) {
  const auto first = jwt.find('.');
  const auto second = first == jwt.npos ? first : jwt.find('.', first + 1);
  if (second == jwt.npos) return "";
  const auto claims = from_base64url(jwt.substr(first + 1, second - first - 1));
  const auto json = claims ? parse_json(*claims) : std::unexpected(std::string());
  if (!json) return "";
  for (std::string_view name : {"preferred_username", "upn", "email", "unique_name"})
    if (const std::string account = json->text_of(name); !account.empty()) return printable(account, 320);
  return "";
}

}  // namespace hikyaku::oauth
