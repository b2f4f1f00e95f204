// SPDX-License-Identifier: MIT
// One log-in with one SASL mechanism, done by Cyrus SASL. Cyrus gets one mechanism at a time, negotiates no
// security layer (max_ssf = 0) and no channel binding. Knows bytes only: Base64 and the dialogue are in
// login.h. No secret reaches a log: Cyrus' own messages are kept off syslog, and its copies of the password
// are wiped.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "daemon/base/error.h"
#include "daemon/mail/smarthost.h"

namespace hikyaku::smtpc {

enum class SaslErrorKind {
  no_plugin,      // the mechanism's plug-in is not installed
  bad_challenge,  // the server said what the mechanism does not allow, or could not prove that it knows the
                  // password
  unusable,       // these credentials do not fit the mechanism (no user, a password where none may be sent in
                  // clear)
};
using SaslError = Error<SaslErrorKind>;

// The mechanisms whose plug-ins can be loaded, upper case. Loads them at the first call.
const std::set<std::string>& available_mechanisms();
// The Debian package that holds a mechanism's plug-in.
std::string package_of(std::string_view mechanism);
// Whether the mechanism shows the password itself to a listener.
bool is_plaintext(std::string_view mechanism);

class SaslClient {
 public:
  struct Options {
    std::string host;                // the smarthost's name, part of DIGEST-MD5's digest-uri
    bool plaintext_allowed = false;  // the connection is encrypted, or the operator insists
    mail::Credentials credentials;
  };

  // Errors: no_plugin, unusable.
  static Result<std::unique_ptr<SaslClient>, SaslError> create(std::string mechanism, Options options);
  ~SaslClient();
  SaslClient(const SaslClient&) = delete;
  SaslClient& operator=(const SaslClient&) = delete;

  // The initial response of the AUTH command, decoded; nullopt if the mechanism waits for a challenge.
  const std::optional<std::string>& initial_response() const { return initial_; }
  // The answer to a challenge (both decoded). Empty if the challenge needs no answer (DIGEST-MD5's second
  // one).
  Result<std::string, SaslError> step(std::string_view challenge);
  // Whether the mechanism has finished; a 235 before that does not prove that the server knows the password.
  bool is_complete() const { return complete_; }

 private:
  struct Session;
  explicit SaslClient(std::unique_ptr<Session> session);
  Result<void, SaslError> start();
  std::string words_for(int code) const;

  std::unique_ptr<Session> session_;
  std::optional<std::string> initial_;
  bool complete_ = false;
};

}  // namespace hikyaku::smtpc
