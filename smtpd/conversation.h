// SPDX-License-Identifier: MIT
// What the parts of one SMTP session share: the connection, the client, the transaction, and what must be
// remembered from one command to the next; and how the server answers. Session owns it. Loop thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/io/wait.h"
#include "daemon/mail/mail_sink.h"
#include "smtpd/channel.h"
#include "smtpd/observer.h"
#include "smtpd/options.h"
#include "smtpd/reception.h"
#include "smtpd/transaction.h"

namespace hikyaku::smtpd {

// Stops sessions: `soft` ends those that are between two messages, `hard` all of them. While
// `is_crowded`, a client that sends nothing for Deadlines::crowded is disconnected to make room for others.
struct Stop {
  io::Cancel soft;
  io::Cancel hard;
  bool is_crowded = false;
};

// What all sessions of a server share; outlives them.
struct SessionContext {
  io::Loop& loop;
  mail::MailSink& sink;
  Observer& observer;
  Stop& stop;
};

struct Conversation {
  Conversation(SessionContext its_context, SessionOptionsPtr its_options, io::StreamPtr stream);

  // The client's first bytes, which are not consumed.
  Task<Result<std::string_view, IoError>> first_bytes();
  // The next line. `soft` interrupts only between two transactions; an open one may be completed.
  Task<Result<io::Line, IoError>> read_line(std::size_t limit);

  void say(const Reply& reply);
  void refuse(std::string_view stage, const Reply& reply);  // sends the reply, and reports it to the observer
  void lost(const IoError& error);                          // nothing more can be read
  void end_at_body();                                       // content came that was not asked for
  void clear();                                             // the transaction
  std::optional<Reply> hook(Stage stage, std::string_view subject) const;

  SessionContext context;
  SessionOptionsPtr options;
  Channel channel;
  Client client;
  Transaction transaction;
  std::unique_ptr<mail::EnvelopeRoom> room;  // the transaction's
  std::unique_ptr<Reception> bdat;           // a message that comes in chunks, between two of them
  std::optional<std::string> named_sender;   // of the newest MAIL, until the next greeting, RSET or message
  std::uint64_t named_size = 0;              // of the newest MAIL, or of the message that was refused

  bool said_ehlo = false;
  bool spoke_crlf = false;                 // a line before the current one ended in CR LF
  io::LineEnd line_end = io::LineEnd::lf;  // of the current line
  bool accepted_now = false;               // the current command brought a message that was accepted
  bool told_too_many = false;              // the observer, of this transaction's recipients
  // DATA was refused, so what comes may be the message all the same. Until a client waits for its next 354.
  bool behind_refused_data = false;
  bool ended = false;
  std::size_t errors = 0;    // since the last accepted message
  std::size_t commands = 0;  // since the last accepted message

 private:
  Instant next_look(Instant begin) const;
  bool may_idle_on(const IoError& error, Instant begin) const;
};

}  // namespace hikyaku::smtpd
