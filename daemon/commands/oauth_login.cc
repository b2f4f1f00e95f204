// SPDX-License-Identifier: MIT
#include <poll.h>
#include <unistd.h>

#include <algorithm>

#include "daemon/base/text.h"
#include "daemon/commands/oauth_tokens.h"
#include "daemon/commands/output.h"
#include "daemon/commands/trials.h"
#include "daemon/oauth/consent.h"
#include "daemon/system/terminal.h"

namespace hikyaku::commands {
namespace {

constexpr std::string_view kLogin = "hikyaku oauth login";
constexpr Duration kBrowserLimit = 15min;
constexpr std::uint16_t kPastePort = 49'170;  // nobody listens there: the URL is read from the address bar

using Granted = Result<oauth::Grant, StartError>;

// One run, for one smarthost.
class Login {
 public:
  Login(const OAuthLoginOptions& options, const mail::Smarthost& smarthost)
      : options_(options), smarthost_(smarthost), terminal_(STDIN_FILENO, STDOUT_FILENO) {}

  Granted consent() {
    switch (way()) {
      case ConsentWay::device: return by_device();
      case ConsentWay::paste: return by_paste();
      default: return by_browser();
    }
  }

  // Mail from another account than was meant would be refused, or worse, be sent.
  void tell_account(const oauth::Grant& grant) {
    if (!grant.account.empty() && !equals_ignoring_case(grant.account, smarthost_.user))
      say(cat("Warning: you logged in as ", grant.account, ", but `user` is ", smarthost_.user,
              ": unless that one may send for the other, run this again and log in as ", smarthost_.user,
              ".\n"));
    else if (!grant.account.empty())
      say(cat(grant.account, " has consented.\n"));
    if (grant.refresh_token.empty())
      say("Warning: the provider gave no refresh token, so this ends with the access token: `scope` probably "
          "lacks "
          "offline_access.\n");
  }

 private:
  const mail::OAuthSettings& settings() const { return *smarthost_.oauth; }
  void say(std::string_view text) const { terminal_.say(text); }

  ConsentWay way() const {
    if (options_.way != ConsentWay::usual) return options_.way;
    return settings().device_url.empty() ? ConsentWay::browser : ConsentWay::device;
  }

  static Granted understood(Result<oauth::Grant, oauth::TokenError> grant) {
    if (grant) return std::move(*grant);
    return fail(Exit::attention, cat("the provider gave no token: ", grant.error().text));
  }

  Granted by_device() {
    if (settings().device_url.empty())
      return fail(Exit::usage, "this provider has no log-in by device: use --browser or --paste");
    auto code = oauth::ask_for_device_code(settings(), endpoint_, clock_.wall());
    if (!code) return fail(Exit::attention, cat("the provider gave no code: ", code.error().text));
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(code->lifetime).count();
    say(cat("With a browser, on any device, open\n\n    ", code->url, "\n\nand type the code\n\n    ",
            code->user_code, "\n\nLog in there as ", smarthost_.user, ". The code is good for ",
            std::to_string(minutes), " minutes; waiting …\n"));
    const auto pause = [](Duration time) {
      const auto wait = std::chrono::ceil<std::chrono::milliseconds>(time).count();
      return ::poll(nullptr, 0, static_cast<int>(wait)) == 0;
    };
    return understood(oauth::wait_for_device(settings(), *code, endpoint_, clock_, pause));
  }

  Granted by_browser() {
    if (auto missing = without_browser(); !missing.empty()) return fail(Exit::usage, missing);
    auto listener = oauth::RedirectListener::open(options_.port);
    if (!listener) return fail(Exit::unavailable, listener.error());
    const auto consent = oauth::begin_consent(settings(), smarthost_.user, listener->port());
    const std::string port = std::to_string(listener->port());
    say(cat("With a browser on this machine, open\n\n    ", consent.url, "\n\nand log in there as ",
            smarthost_.user, ". If the browser is elsewhere, first run there: ssh -L ", port,
            ":127.0.0.1:", port, " THIS_HOST\n(or use --paste). Waiting …\n"));
    auto redirect = listener->wait(consent, settings(), kBrowserLimit);
    if (!redirect) return fail(Exit::attention, redirect.error());
    return redeem(consent, std::move(*redirect));
  }

  Granted by_paste() {
    if (auto missing = without_browser(); !missing.empty()) return fail(Exit::usage, missing);
    const std::uint16_t port = options_.port != 0 ? options_.port : kPastePort;
    const auto consent = oauth::begin_consent(settings(), smarthost_.user, port);
    say(cat("With any browser, open\n\n    ", consent.url, "\n\nand log in there as ", smarthost_.user,
            ". In the end it shows that it cannot reach 127.0.0.1.\n"));
    auto pasted = terminal_.ask_secret("Copy the URL from its address bar, and paste it here (not shown): ");
    if (!pasted) return fail(Exit::usage, "nothing was pasted");
    auto redirect = oauth::understand_redirect(trim(pasted->reveal()), consent, settings());
    if (redirect.kind == oauth::RedirectKind::not_ours)
      return fail(Exit::attention,
                  "that is not the URL of this log-in: it must begin with http://127.0.0.1 and hold the "
                  "`state` of this attempt");
    return redeem(consent, std::move(redirect));
  }

  std::string without_browser() const {
    return settings().authorize_url.empty() ? "this provider has no log-in by browser: set `authorize_url`"
                                            : "";
  }

  Granted redeem(const oauth::BrowserConsent& consent, oauth::Redirect redirect) {
    if (redirect.kind == oauth::RedirectKind::refused)
      return fail(Exit::attention, cat("the provider says no: ", redirect.text));
    const oauth::AuthorizationCode code{std::move(redirect.code), consent.verifier, consent.redirect_uri};
    return understood(oauth::redeem(settings(), code, endpoint_, clock_.wall()));
  }

  const OAuthLoginOptions& options_;
  const mail::Smarthost& smarthost_;
  mutable system::Terminal terminal_;
  SystemClock clock_;
  oauth::HttpsEndpoint endpoint_;
};

oauth::StoredToken to_stored(oauth::Grant grant, const mail::Smarthost& smarthost) {
  oauth::StoredToken token;
  token.consented = SystemClock().wall();
  oauth::put_into(token, std::move(grant), smarthost.oauth->scope, token.consented);
  return token;
}

Result<mail::Smarthost, StartError> one_to_log_in(const config::Settings& settings, const std::string& name) {
  auto smarthosts = with_oauth(settings, name);
  if (!smarthosts) return std::unexpected(smarthosts.error());
  std::erase_if(*smarthosts, [](const auto& each) { return each.oauth->flow != mail::OAuthFlow::login; });
  if (smarthosts->size() == 1) return std::move(smarthosts->front());
  if (smarthosts->empty())
    return fail(Exit::usage, "nobody has to log in for this `flow`; try it with `hikyaku oauth refresh`");
  return fail(Exit::usage, "several smarthosts have `oauth`: name one");
}

}  // namespace

Exit run_oauth_login(const OAuthLoginOptions& options, const system::LoadCalls& calls) {
  auto loaded = load_for_oauth(options.config, calls);
  if (!loaded) return report(kLogin, loaded.error());
  auto smarthost = one_to_log_in(loaded->settings, options.name);
  if (!smarthost) return report(kLogin, smarthost.error());
  Login login(options, *smarthost);
  auto grant = login.consent();
  if (!grant) return report(kLogin, grant.error());
  login.tell_account(*grant);
  auto kept = CommandTokens(loaded->settings).keep(smarthost->name, to_stored(std::move(*grant), *smarthost));
  if (!kept) return report(kLogin, kept.error());
  return run_login_check(*loaded, smarthost->name);
}

}  // namespace hikyaku::commands
