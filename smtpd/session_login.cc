// SPDX-License-Identifier: MIT
#include "smtpd/session_login.h"

#include <algorithm>
#include <utility>

#include "daemon/base/base64.h"
#include "daemon/base/random.h"
#include "daemon/base/text.h"
#include "daemon/io/hashes.h"
#include "smtpd/replies.h"

namespace hikyaku::smtpd {
namespace {

AuthStep challenge(std::string text) { return {AuthStep::Kind::challenge, std::move(text)}; }
AuthStep malformed() { return {AuthStep::Kind::malformed, {}}; }
AuthStep verdict(bool right) { return {right ? AuthStep::Kind::accepted : AuthStep::Kind::refused, {}}; }

bool is_right(const AuthOptions& options, std::string_view user, std::string_view password) {
  return options.takes_any || (user == options.user && password == options.password.reveal());
}

class Plain final : public AuthMechanism {
 public:
  explicit Plain(const AuthOptions& options) : options_(options) {}
  AuthStep step(const std::optional<std::string>& response) override {
    if (!response) return challenge({});
    auto parts = split(*response, '\0');
    if (parts.size() != 3) return malformed();
    bool acts_for_itself = parts[0].empty() || parts[0] == parts[1] || options_.takes_any;
    return verdict(acts_for_itself && is_right(options_, parts[1], parts[2]));
  }

 private:
  const AuthOptions& options_;
};

class Login final : public AuthMechanism {
 public:
  explicit Login(const AuthOptions& options) : options_(options) {}
  AuthStep step(const std::optional<std::string>& response) override {
    if (!response) return challenge("Username:");
    if (!user_) {
      user_ = *response;
      return challenge("Password:");
    }
    return verdict(is_right(options_, *user_, *response));
  }

 private:
  const AuthOptions& options_;
  std::optional<std::string> user_;
};

class CramMd5 final : public AuthMechanism {
 public:
  CramMd5(const AuthOptions& options, std::string nonce) : options_(options), nonce_(std::move(nonce)) {}
  AuthStep step(const std::optional<std::string>& response) override {
    if (!std::exchange(asked_, true)) return response ? malformed() : challenge(nonce_);
    const auto digest = io::hmac_md5(options_.password.reveal(), nonce_);
    return verdict(digest && *response == cat(options_.user, " ", *digest));
  }

 private:
  const AuthOptions& options_;
  std::string nonce_;
  bool asked_ = false;
};

}  // namespace

// Nothing from before the handshake counts after it: neither what was said, nor bytes that an attacker put
// behind the command (CVE-2011-0411).
Task<void> SessionLogin::start_tls() {
  if (!talk_.options->starttls) co_return talk_.refuse("STARTTLS", replies::starttls_not_offered());
  if (talk_.channel.tls() != nullptr) co_return talk_.refuse("STARTTLS", replies::starttls_twice());
  if (talk_.channel.has_input()) co_return talk_.refuse("STARTTLS", replies::starttls_injection());
  talk_.say(replies::starttls_go());
  auto secured = co_await talk_.channel.start_tls(*talk_.options->starttls);
  if (!secured && is_tls(secured.error().kind)) talk_.context.observer.odd(talk_.client, Oddity::tls_failed);
  talk_.ended = !secured;
  talk_.clear();
  talk_.client.helo.clear();
  talk_.client.user.clear();
  talk_.said_ehlo = false;
}

Task<void> SessionLogin::authenticate(mail::command::Auth command) {
  if (auto refusal = reason_to_refuse()) co_return talk_.refuse("AUTH", *refusal);
  auto mechanism = make_auth_mechanism(command.mechanism, *talk_.options->auth,
                                       cat("<", random_token(16), "@", talk_.options->hostname, ">"));
  if (!mechanism) co_return talk_.refuse("AUTH", replies::auth_unknown_mechanism());
  std::optional<std::string> response;
  if (command.initial) {
    response = from_base64(*command.initial == "=" ? std::string_view() : *command.initial);
    if (!response) co_return talk_.refuse("AUTH", replies::auth_malformed());
  }
  co_await log_in(*mechanism, std::move(response));
}

bool SessionLogin::offers_tls() const { return talk_.options->starttls && talk_.channel.tls() == nullptr; }

bool SessionLogin::offers_auth() const { return talk_.options->auth && is_private(); }

// Whether a password may cross this connection.
bool SessionLogin::is_private() const {
  const AuthOptions& auth = *talk_.options->auth;
  const auto& address = talk_.client.address;
  const bool is_at_home = auth.trusts_loopback && (!address || address->address.is_loopback());
  return !auth.needs_tls || is_at_home || talk_.channel.tls() != nullptr;
}

std::optional<Reply> SessionLogin::reason_to_refuse() const {
  if (!talk_.options->auth) return replies::auth_not_offered();
  if (!talk_.client.user.empty()) return replies::auth_twice();
  if (talk_.transaction.is_open()) return replies::auth_in_transaction();
  if (!is_private()) return replies::auth_needs_tls();
  return std::nullopt;
}

Task<void> SessionLogin::log_in(AuthMechanism& mechanism, std::optional<std::string> response) {
  for (;;) {
    AuthStep step = mechanism.step(response);
    if (step.kind == AuthStep::Kind::refused) co_return talk_.refuse("AUTH", replies::auth_refused());
    if (step.kind == AuthStep::Kind::malformed) co_return talk_.refuse("AUTH", replies::auth_malformed());
    if (step.kind == AuthStep::Kind::accepted) {
      talk_.client.user = talk_.options->auth->user;
      co_return talk_.say(replies::auth_ok());
    }
    talk_.say(replies::auth_challenge(to_base64(step.challenge)));
    response = co_await auth_response();
    if (!response) co_return;
  }
}

// The next response, decoded. nullopt: the log-in is over, and its reply has been sent.
Task<std::optional<std::string>> SessionLogin::auth_response() {
  auto line = co_await talk_.read_line(talk_.options->limits.auth_line);
  if (!line && line.error().kind == IoErrorKind::too_long) {
    talk_.say(replies::endless_line());
    co_return std::nullopt;
  }
  if (!line) {
    talk_.lost(line.error());
    co_return std::nullopt;
  }
  auto response = from_base64(line->text);
  if (!response)
    talk_.refuse("AUTH", line->text == "*" ? replies::auth_cancelled() : replies::auth_malformed());
  co_return response;
}

std::unique_ptr<AuthMechanism> make_auth_mechanism(std::string_view name, const AuthOptions& options,
                                                   std::string nonce) {
  if (std::ranges::find(options.mechanisms, name) == options.mechanisms.end()) return nullptr;
  if (name == "PLAIN") return std::make_unique<Plain>(options);
  if (name == "LOGIN") return std::make_unique<Login>(options);
  if (name == "CRAM-MD5") return std::make_unique<CramMd5>(options, std::move(nonce));
  return nullptr;
}

}  // namespace hikyaku::smtpd
