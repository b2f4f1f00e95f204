// SPDX-License-Identifier: MIT
// One SMTP session, server side (RFC 5321): a coroutine that reads top to bottom like the dialogue. It says
// 250 after a message only when MailWriter::commit has returned its value. What a client says is never
// repeated to it.
// Here are the dialogue, MAIL and RCPT; SessionContent has DATA and BDAT, SessionLogin STARTTLS and AUTH.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/mail/smtp_command.h"
#include "smtpd/conversation.h"
#include "smtpd/session_content.h"
#include "smtpd/session_login.h"
#include "smtpd/submitter.h"

namespace hikyaku::smtpd {

class Session {
 public:
  Session(SessionContext context, SessionOptionsPtr options, io::StreamPtr stream);
  // From the greeting until the connection may be closed. Once.
  Task<void> run();

 private:
  Task<void> dialogue();
  Task<bool> is_tls_hello();
  Task<std::optional<mail::Command>> next_command();
  Task<std::optional<mail::Command>> skip_long_line();
  mail::Command parse(const io::Line& line);
  bool is_body(const mail::Command& command) const;

  Task<void> obey(mail::command::Ehlo command);
  Task<void> obey(mail::command::Mail command);
  Task<void> obey(mail::command::Rcpt command);
  Task<void> obey(mail::command::Data) { return content_.data(); }
  Task<void> obey(mail::command::Bdat command) { return content_.chunk(command); }
  Task<void> obey(mail::command::Rset command);
  Task<void> obey(mail::command::Noop command);
  Task<void> obey(mail::command::Vrfy command);
  Task<void> obey(mail::command::Help command);
  Task<void> obey(mail::command::Quit command);
  Task<void> obey(mail::command::StartTls) { return login_.start_tls(); }
  Task<void> obey(mail::command::Auth command) { return login_.authenticate(std::move(command)); }
  Task<void> obey(mail::command::NotSmtp command);
  Task<void> obey(mail::CommandError error);

  std::optional<Reply> refusal_of(const mail::command::Mail& command) const;
  Task<std::optional<Reply>> settle_submitter(mail::Envelope& envelope);
  std::optional<Reply> refusal_of(const mail::command::Rcpt& command) const;
  std::optional<Reply> make_room(const mail::Recipient& recipient);
  std::vector<std::string> keywords() const;
  bool is_peer() const;
  std::string wished_sender(mail::command::Mail& command) const;
  void name(const mail::command::Mail& command);  // for the lines about what is refused
  void count(const mail::Command& command);

  Conversation talk_;
  SessionContent content_;
  SessionLogin login_;
  bool after_message_ = false;  // the command before brought a message that was accepted
};

}  // namespace hikyaku::smtpd
