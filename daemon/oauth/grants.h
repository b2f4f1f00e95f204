// SPDX-License-Identifier: MIT
// How each flow comes by a token: which form goes to the provider, with which of our secrets, which are read
// from their files when they are needed. What the provider says back is masked before anybody sees it.
// Everything here blocks, and belongs on the pool; nothing is kept.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/mail/oauth.h"
#include "daemon/oauth/token_answer.h"
#include "daemon/oauth/token_endpoint.h"

namespace hikyaku::oauth {

using Form = std::vector<std::pair<std::string, Secret>>;
Secret encode_form(const Form& form);  // application/x-www-form-urlencoded
// What is not unreserved (RFC 3986 2.3) as %XX.
std::string percent_encode(std::string_view text);

// What a token is asked for with.
struct TokenRequest {
  mail::OAuthSettings settings;
  std::string user;
  Secret refresh_token;  // login; empty otherwise
  WallTime now;          // for assertions
};

// A token by the settings' flow. Errors of the kind `setup` name the file, or the program, in the text.
Result<Grant, TokenError> obtain(const TokenRequest& request, TokenEndpoint& endpoint);

// The code of a browser's redirect for a token (RFC 6749 4.1.3, RFC 7636 4.5).
struct AuthorizationCode {
  Secret code;
  Secret verifier;
  std::string redirect_uri;
};
Result<Grant, TokenError> redeem(const mail::OAuthSettings& settings, const AuthorizationCode& code,
                                 TokenEndpoint& endpoint, WallTime now);

// The device flow's two requests (RFC 8628 3.1, 3.4).
Result<DeviceCode, TokenError> ask_for_device_code(const mail::OAuthSettings& settings,
                                                   TokenEndpoint& endpoint, WallTime now);
Result<Grant, TokenError> poll_device(const mail::OAuthSettings& settings, const DeviceCode& code,
                                      TokenEndpoint& endpoint, WallTime now);

// RFC 7009. Returns whether the provider has revoked it; the error says why not.
Result<void, TokenError> revoke(const mail::OAuthSettings& settings, const Secret& token,
                                TokenEndpoint& endpoint, WallTime now);

}  // namespace hikyaku::oauth
