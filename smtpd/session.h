// SPDX-License-Identifier: MIT
// One SMTP session, server side (RFC 5321): a coroutine that reads top to bottom like the dialogue. It says
// 250 after a message only when MailWriter::commit has returned its value. What a client says is never
// repeated to it.
//   session.cc          the dialogue, MAIL and RCPT
//   session_content.cc  DATA and BDAT
//   session_login.cc    STARTTLS and AUTH (hikyaku sink only)
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "daemon/io/wait.h"
#include "daemon/mail/data_decoder.h"
#include "daemon/mail/mail_sink.h"
#include "daemon/mail/received.h"
#include "daemon/mail/smtp_command.h"
#include "smtpd/auth_server.h"
#include "smtpd/channel.h"
#include "smtpd/observer.h"
#include "smtpd/options.h"
#include "smtpd/pace.h"
#include "smtpd/reception.h"
#include "smtpd/submitter.h"
#include "smtpd/transaction.h"

namespace hikyaku::smtpd {

// How sessions are told to stop: `soft` ends those that are between two messages, `hard` all of them; while
// `is_crowded`, who says nothing for Deadlines::crowded gives its place to others.
struct Stop {
  io::Cancel soft;
  io::Cancel hard;
  bool is_crowded = false;
};

// What a session works with; outlives it.
struct Surroundings {
  io::Loop& loop;
  mail::MailSink& sink;
  Observer& observer;
  Stop& stop;
};

class Session {
 public:
  Session(Surroundings around, SessionOptionsPtr options, io::StreamPtr stream);
  // From the greeting until the connection may be closed. Once.
  Task<void> run();

 private:
  Task<void> dialogue();
  Task<bool> is_tls_hello();
  Task<std::optional<mail::Command>> next_command();
  Task<Result<io::Line, IoError>> read_line(std::size_t limit);
  Instant next_look(Instant begin) const;
  bool may_idle_on(const IoError& error, Instant begin) const;
  Task<std::optional<mail::Command>> skip_long_line();
  mail::Command parse(const io::Line& line);
  bool is_body(const mail::Command& command) const;

  Task<void> obey(mail::command::Ehlo command);
  Task<void> obey(mail::command::Mail command);
  Task<void> obey(mail::command::Rcpt command);
  Task<void> obey(mail::command::Data command);
  Task<void> obey(mail::command::Bdat command);
  Task<void> obey(mail::command::Rset command);
  Task<void> obey(mail::command::Noop command);
  Task<void> obey(mail::command::Vrfy command);
  Task<void> obey(mail::command::Help command);
  Task<void> obey(mail::command::Quit command);
  Task<void> obey(mail::command::StartTls command);
  Task<void> obey(mail::command::Auth command);
  Task<void> obey(mail::command::NotSmtp command);
  Task<void> obey(mail::CommandError error);

  std::optional<Reply> refusal_of(const mail::command::Mail& command) const;
  Task<std::optional<Reply>> settle_submitter(mail::Envelope& envelope);
  std::optional<Reply> refusal_of(const mail::command::Rcpt& command) const;
  std::optional<Reply> make_room(const mail::Recipient& recipient);
  std::optional<Reply> refusal_of(const mail::command::Auth& command) const;
  std::optional<Reply> hook(Stage stage, std::string_view subject) const;
  std::vector<std::string> keywords() const;

  mail::LineMode line_mode();
  Result<std::unique_ptr<Reception>, Reply> open_reception();
  std::optional<Reply> open_bdat();
  std::string received(mail::MailId id) const;
  mail::SessionTraits traits(const mail::Envelope& envelope) const;
  Task<bool> waits_for_replies();
  Task<void> receive_data(Reception& reception);
  Task<void> receive_chunk(std::uint64_t size);
  Task<Result<std::string_view, IoError>> next_piece(const Pace& pace);
  Task<void> hand_over(Reception& reception, std::string_view content, const mail::ContentNotes& notes,
                       Pace& pace);
  Task<void> conclude(Reception& reception);
  void report(const Reception& reception, const mail::Envelope& envelope);

  Task<void> log_in(AuthMechanism& mechanism, std::optional<std::string> response);
  Task<std::optional<std::string>> auth_response();

  void say(const Reply& reply);
  void refuse(std::string_view stage, const Reply& reply);  // say it, and tell the observer
  void lost(const IoError& error);                          // nothing more can be read
  void end_at_body();                                       // that nobody asked for
  void clear();                                             // the transaction
  void name(const mail::command::Mail& command);            // for the lines about what is refused
  void count(const mail::Command& command);

  Surroundings around_;
  SessionOptionsPtr options_;
  Channel channel_;
  Client client_;
  Transaction transaction_;
  std::unique_ptr<mail::EnvelopeRoom> room_;  // the transaction's
  std::optional<std::string> named_sender_;   // of the newest MAIL, until the next greeting, RSET or message
  std::uint64_t named_size_ = 0;              // likewise
  std::unique_ptr<Reception> bdat_;           // a message that comes in chunks, between two of them
  mail::Canonicaliser chunks_;                // its line ends

  bool said_ehlo_ = false;
  bool spoke_crlf_ = false;                 // a line before the current one ended in CR LF
  io::LineEnd line_end_ = io::LineEnd::lf;  // of the current line
  bool accepted_now_ = false;               // the current command brought a message that was accepted
  bool after_message_ = false;              // the one before did
  bool told_too_many_ = false;              // the observer, of this transaction's recipients
  // DATA was refused, so what comes may be the message all the same. Until a client waits for its next 354.
  bool behind_refused_data_ = false;
  bool ended_ = false;
  std::size_t errors_ = 0;    // since the last accepted message
  std::size_t commands_ = 0;  // likewise
};

}  // namespace hikyaku::smtpd
