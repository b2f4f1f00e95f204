// SPDX-License-Identifier: MIT
// A session's STARTTLS (RFC 3207) and AUTH (RFC 4954), which only `hikyaku sink` offers. Loop thread; refers
// to the session's conversation.
#pragma once

#include <optional>
#include <string>

#include "daemon/mail/smtp_command.h"
#include "smtpd/auth_server.h"
#include "smtpd/conversation.h"

namespace hikyaku::smtpd {

class SessionLogin {
 public:
  explicit SessionLogin(Conversation& talk) : talk_(talk) {}
  Task<void> start_tls();
  Task<void> authenticate(mail::command::Auth command);

 private:
  std::optional<Reply> reason_to_refuse() const;
  Task<void> log_in(AuthMechanism& mechanism, std::optional<std::string> response);
  Task<std::optional<std::string>> auth_response();

  Conversation& talk_;
};

}  // namespace hikyaku::smtpd
