// SPDX-License-Identifier: MIT
// The client's side of SMTP with one smarthost over one connection: opening it, any number of mails, the end.
// Reads top to bottom like the dialogue in the RFC. Decides nothing about the queue: its result is the
// outcome of each recipient, with the verdict that follows. Must not be destroyed while one of its tasks is
// under way; destroying the client hangs up.
#pragma once

#include <memory>
#include <string>

#include "smtpc/session.h"
#include "smtpc/transaction.h"

namespace hikyaku::smtpc {

class Client {
 public:
  Client(ClientContext context, io::StreamPtr stream);
  Client(const Client&) = delete;

  // From the connection to a session that takes mail: TLS as configured, greeting, EHLO, STARTTLS, log-in.
  // Once.
  Task<Result<void, Refusal>> open();
  // After a refused open(): the peer hung up between two mechanisms, and another is left; or the domain has
  // another server. Dial again at once.
  bool wants_new_connection() const { return wants_new_connection_; }

  // MAIL and RCPT with these addresses, and RSET: whether a mail of theirs would be taken, without sending one.
  // A refusal is judged as the mail's would be. `sender` is that before rewriting.
  Task<Result<void, Refusal>> rehearse(std::string sender, std::string recipient);
  // If the previous send's hook returned this mail, its commands have been sent already.
  Task<TransactionResult> send(Consignment consignment, DotHooks hooks);
  // Sends QUIT, waits a moment for the answer, and hangs up. Must be the last call.
  Task<void> quit();

  // Whether send() may be called again, as far as is known without reading.
  bool is_usable() const { return is_open_ && !session_.exchange.is_broken(); }
  // Reads to find out: false also if the peer has hung up or sent something since. To be called before an
  // idle connection is used again.
  Task<bool> is_alive();

  // For the log.
  const std::string& address() const { return session_.address; }  // "192.0.2.1:587", or empty
  const io::TlsInfo* tls() const;                                  // null: clear text
  const mail::Capabilities& capabilities() const { return session_.capabilities; }
  const std::string& mechanism() const { return session_.mechanism; }  // empty: not logged in
  // What was said up to this failure: at the opening, and of the latest mail.
  mail::DialoguePtr dialogue_before(const mail::Failure& failure) const;

 private:
  Task<bool> wants_another(const mail::Failure& failure);
  Task<std::string> commands_ahead(const DotHooks& hooks);

  Session session_;
  std::unique_ptr<Transaction> next_;  // what the latest final dot has taken along
  bool is_open_ = false;
  bool wants_new_connection_ = false;
};

}  // namespace hikyaku::smtpc
