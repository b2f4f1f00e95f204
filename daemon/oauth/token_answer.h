// SPDX-License-Identifier: MIT
// What a provider's answers mean (RFC 6749 5, RFC 8628 3): a token, or an error and whether it may pass by
// itself. An answer may be anything: a proxy's HTML, an error page, JSON of another kind. What an error's
// text repeats from the answer is its `error` and the beginning of its `error_description`, printable; never
// a token. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"
#include "daemon/oauth/token_endpoint.h"

namespace hikyaku::oauth {

inline constexpr Duration kUsualLifetime = 1h;  // where the answer does not say

struct Grant {
  Secret access_token;
  Secret refresh_token;  // empty: the one that was used goes on
  Duration lifetime = kUsualLifetime;
  std::string scope;    // as granted; empty: as asked for
  std::string account;  // who consented, where a token is a JWT that says it
};

enum class TokenTrouble : std::uint8_t {
  transient,  // nobody knows better than to try again: network, 408, 429, 5xx, no JSON
  consent,    // somebody has to consent again: invalid_grant, interaction_required …
  client,     // our id, secret or scope is refused: invalid_client, unauthorized_client, invalid_scope …
  setup,      // our own file, key or program
  pending,    // the device flow: not yet
  slow_down,  // the device flow: ask less often
  denied,     // the device flow: access_denied, expired_token
};

struct TokenError {
  TokenTrouble kind = TokenTrouble::transient;
  std::string text;
  std::optional<Duration> retry_after{};
  std::string file{};  // setup: the one that cannot be used
};

Result<Grant, TokenError> parse_token_answer(const EndpointAnswer& answer);
// The bytes of what a program printed: a token alone, or JSON as above.
Result<Grant, TokenError> parse_token_text(std::string_view printed);

// RFC 8628 3.2.
struct DeviceCode {
  Secret device_code;
  std::string user_code;
  std::string url;
  std::string complete_url;  // with the code in it; may be empty
  Duration lifetime = 10min;
  Duration interval = 5s;
};
Result<DeviceCode, TokenError> parse_device_answer(const EndpointAnswer& answer);

// The kind of an error whose text begins with its name, as the texts of the parsers do.
TokenTrouble trouble_named(std::string_view text);

// The account that a JWT's claims name; empty if it is none, or names none. Verifies nothing: it is for words
// alone.
std::string account_in(std::string_view jwt);

}  // namespace hikyaku::oauth
