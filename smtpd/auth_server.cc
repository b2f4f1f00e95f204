// SPDX-License-Identifier: MIT
#include "smtpd/auth_server.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/io/hashes.h"

namespace hikyaku::smtpd {
namespace {

AuthStep challenge(std::string text) { return {AuthStep::Kind::challenge, std::move(text)}; }
AuthStep malformed() { return {AuthStep::Kind::malformed, {}}; }
AuthStep verdict(bool right) { return {right ? AuthStep::Kind::accepted : AuthStep::Kind::refused, {}}; }

class Plain final : public AuthMechanism {
 public:
  explicit Plain(const AuthOptions& options) : options_(options) {}
  AuthStep step(const std::optional<std::string>& response) override {
    if (!response) return challenge({});
    auto parts = split(*response, '\0');
    if (parts.size() != 3) return malformed();
    bool acts_for_itself = parts[0].empty() || parts[0] == parts[1];
    return verdict(acts_for_itself && parts[1] == options_.user && parts[2] == options_.password.reveal());
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
    return verdict(*user_ == options_.user && *response == options_.password.reveal());
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

std::unique_ptr<AuthMechanism> make_auth_mechanism(std::string_view name, const AuthOptions& options,
                                                   std::string nonce) {
  if (std::ranges::find(options.mechanisms, name) == options.mechanisms.end()) return nullptr;
  if (name == "PLAIN") return std::make_unique<Plain>(options);
  if (name == "LOGIN") return std::make_unique<Login>(options);
  if (name == "CRAM-MD5") return std::make_unique<CramMd5>(options, std::move(nonce));
  return nullptr;
}

}  // namespace hikyaku::smtpd
