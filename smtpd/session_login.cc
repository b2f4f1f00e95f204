// SPDX-License-Identifier: MIT
// STARTTLS (RFC 3207) and AUTH (RFC 4954).
#include <utility>

#include "daemon/base/base64.h"
#include "daemon/base/random.h"
#include "daemon/base/text.h"
#include "smtpd/replies.h"
#include "smtpd/session.h"

namespace hikyaku::smtpd {

// Nothing from before the handshake counts after it: neither what was said, nor bytes that an attacker put
// behind the command (CVE-2011-0411).
Task<void> Session::obey(mail::command::StartTls) {
  if (!options_->starttls) co_return refuse("STARTTLS", replies::starttls_not_offered());
  if (channel_.tls() != nullptr) co_return refuse("STARTTLS", replies::starttls_twice());
  if (channel_.has_input()) co_return refuse("STARTTLS", replies::starttls_injection());
  say(replies::starttls_go());
  auto secured = co_await channel_.start_tls(*options_->starttls);
  ended_ = !secured;
  clear();
  client_.helo.clear();
  client_.user.clear();
  said_ehlo_ = false;
}

Task<void> Session::obey(mail::command::Auth command) {
  if (auto refusal = refusal_of(command)) co_return refuse("AUTH", *refusal);
  auto mechanism = make_auth_mechanism(command.mechanism, *options_->auth,
                                       cat("<", random_token(16), "@", options_->hostname, ">"));
  if (!mechanism) co_return refuse("AUTH", replies::auth_unknown_mechanism());
  std::optional<std::string> response;
  if (command.initial) {
    response = from_base64(*command.initial == "=" ? std::string_view() : *command.initial);
    if (!response) co_return refuse("AUTH", replies::auth_malformed());
  }
  co_await log_in(*mechanism, std::move(response));
}

std::optional<Reply> Session::refusal_of(const mail::command::Auth&) const {
  if (!options_->auth) return replies::auth_not_offered();
  if (!client_.user.empty()) return replies::auth_twice();
  if (transaction_.is_open()) return replies::auth_in_transaction();
  if (options_->auth->needs_tls && channel_.tls() == nullptr) return replies::auth_needs_tls();
  return std::nullopt;
}

Task<void> Session::log_in(AuthMechanism& mechanism, std::optional<std::string> response) {
  for (;;) {
    AuthStep step = mechanism.step(response);
    if (step.kind == AuthStep::Kind::refused) co_return refuse("AUTH", replies::auth_refused());
    if (step.kind == AuthStep::Kind::malformed) co_return refuse("AUTH", replies::auth_malformed());
    if (step.kind == AuthStep::Kind::accepted) {
      client_.user = options_->auth->user;
      co_return say(replies::auth_ok());
    }
    say(replies::auth_challenge(to_base64(step.challenge)));
    response = co_await auth_response();
    if (!response) co_return;
  }
}

// The next response, decoded. Nothing: the log-in is over, and why has been said.
Task<std::optional<std::string>> Session::auth_response() {
  auto line = co_await read_line(options_->limits.auth_line);
  if (!line && line.error().kind == IoErrorKind::too_long) {
    say(replies::endless_line());
    co_return std::nullopt;
  }
  if (!line) {
    lost(line.error());
    co_return std::nullopt;
  }
  auto response = from_base64(line->text);
  if (!response) refuse("AUTH", line->text == "*" ? replies::auth_cancelled() : replies::auth_malformed());
  co_return response;
}

}  // namespace hikyaku::smtpd
