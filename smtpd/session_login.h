// SPDX-License-Identifier: MIT
// A session's STARTTLS (RFC 3207) and AUTH (RFC 4954): for `hikyaku sink`, and for applications that insist on
// them. A password that came is compared or ignored, never kept. Loop thread; refers to the session's
// conversation.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/mail/smtp_command.h"
#include "smtpd/conversation.h"
#include "smtpd/options.h"

namespace hikyaku::smtpd {

// SASL's PLAIN (RFC 4616), LOGIN and CRAM-MD5 (RFC 2195), server side, for one user. Bytes in, bytes out, no
// Base64, no I/O.

struct AuthStep {
  enum class Kind : std::uint8_t { challenge, accepted, refused, malformed };
  Kind kind;
  std::string challenge;
};

class AuthMechanism {
 public:
  virtual ~AuthMechanism() = default;
  // First with the initial response, if there was one; then with each answer to a challenge.
  virtual AuthStep step(const std::optional<std::string>& response) = 0;
};

// nullptr if `options` do not offer the mechanism. `nonce` is unique ("<random@host>"), for CRAM-MD5.
// `options` outlive the mechanism.
std::unique_ptr<AuthMechanism> make_auth_mechanism(std::string_view name, const AuthOptions& options,
                                                   std::string nonce);

class SessionLogin {
 public:
  explicit SessionLogin(Conversation& talk) : talk_(talk) {}
  bool offers_tls() const;
  bool offers_auth() const;
  Task<void> start_tls();
  Task<void> authenticate(mail::command::Auth command);

 private:
  bool is_private() const;
  std::optional<Reply> reason_to_refuse() const;
  Task<void> log_in(AuthMechanism& mechanism, std::optional<std::string> response);
  Task<std::optional<std::string>> auth_response();

  Conversation& talk_;
};

}  // namespace hikyaku::smtpd
