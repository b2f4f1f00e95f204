// SPDX-License-Identifier: MIT
// Where the client gets an access token from, right before it logs in (daemon/oauth). Whoever implements it
// sees to it that one refresh at a time is under way for a smarthost, however many connections ask. The
// loop's thread. Outlives the clients.
#pragma once

#include <optional>
#include <string>

#include "daemon/base/secret.h"
#include "daemon/base/task.h"
#include "daemon/io/wait.h"
#include "daemon/mail/failure.h"
#include "daemon/mail/queue_state.h"

namespace hikyaku::smtpc {

// Why there is no token, or none that the smarthost takes. No text of it holds a secret.
struct TokenRefusal {
  mail::FailureKind kind = mail::FailureKind::oauth_unreachable;
  std::string detail;
  mail::OAuthFactsPtr facts{};
};

class TokenSource {
 public:
  virtual ~TokenSource() = default;

  // A token that is valid now.
  virtual Task<Result<Secret, TokenRefusal>> token(std::string smarthost, io::Until until) = 0;
  // The smarthost has refused this one: a newer one, if there is any or one can be had; nullopt if it was
  // fresh, so that another would be refused as well.
  virtual Task<Result<std::optional<Secret>, TokenRefusal>> newer_than(std::string smarthost, Secret refused,
                                                                       io::Until until) = 0;
  // What is known of the smarthost's token, for the words of a refusal.
  virtual mail::OAuthFacts facts(const std::string& smarthost) const = 0;
  // The same for the operator; nullopt for a smarthost without tokens.
  virtual std::optional<mail::OAuthReport> report(const std::string& smarthost) const = 0;
};

}  // namespace hikyaku::smtpc
