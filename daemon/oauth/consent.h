// SPDX-License-Identifier: MIT
// How somebody consents: by a browser that is sent to the provider and comes back (RFC 8252), always with
// PKCE (S256) and a `state` of 128 bits; or by a code that is typed at another device (RFC 8628). What comes
// back is trusted only if it has our `state` and, where it says one, the provider's `iss` (RFC 9207); nothing
// of it is repeated to anybody but the provider's own `error`. Blocks where it says so.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"
#include "daemon/base/fd.h"
#include "daemon/oauth/grants.h"

namespace hikyaku::oauth {

// One attempt with a browser. Its secrets are drawn anew each time.
struct BrowserConsent {
  std::string url;           // for the browser
  std::string state;         // must come back
  Secret verifier;           // RFC 7636 4.1
  std::string redirect_uri;  // "http://127.0.0.1:PORT"
};
BrowserConsent begin_consent(const mail::OAuthSettings& settings, const std::string& user,
                             std::uint16_t port);

enum class RedirectKind : std::uint8_t {
  not_ours,  // another path, or without our state: as if it had not come
  refused,   // the provider says no; `text` has its error
  code,
};
struct Redirect {
  RedirectKind kind = RedirectKind::not_ours;
  Secret code{};
  std::string text{};
};
// `target` is a request's, "/?code=…&state=…", or the whole URL from a browser's address bar. Pure.
Redirect understand_redirect(std::string_view target, const BrowserConsent& consent,
                             const mail::OAuthSettings& settings);

// Listens on 127.0.0.1 until the right redirect has come. Everything else gets a 404, and may come as often
// as it likes. `port` 0: any. Blocks in wait().
class RedirectListener {
 public:
  static Result<RedirectListener, std::string> open(std::uint16_t port);
  std::uint16_t port() const { return port_; }
  // The error says that the time is over.
  Result<Redirect, std::string> wait(const BrowserConsent& consent, const mail::OAuthSettings& settings,
                                     Duration limit);

 private:
  RedirectListener(Fd fd, std::uint16_t port) : fd_(std::move(fd)), port_(port) {}

  Fd fd_;
  std::uint16_t port_;
};

// Asks as often as the provider allows, until somebody has typed the code, or says no, or the code ends.
// `pause` sleeps, and returns false if nobody waits any more. Blocks.
Result<Grant, TokenError> wait_for_device(const mail::OAuthSettings& settings, const DeviceCode& code,
                                          TokenEndpoint& endpoint, const Clock& clock,
                                          const std::function<bool(Duration)>& pause);

}  // namespace hikyaku::oauth
