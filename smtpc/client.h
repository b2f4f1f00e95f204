// SPDX-License-Identifier: MIT
// The client's side of SMTP with one smarthost over one connection: opening it, any number of mails, the end.
// Reads top to bottom like the dialogue in the RFC. It decides nothing about the queue: what befell whom is
// its result, with the verdict that follows from it. Not destroyed while one of its tasks is under way;
// destroying it hangs up.
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
  // After a refused open(): the log-in is not over, the peer only hung up between two mechanisms. Dial again
  // at once.
  bool wants_new_connection() const { return wants_new_connection_; }

  // If this is the mail that the previous send's hook has named, its commands are on their way already.
  Task<TransactionResult> send(Consignment consignment, DotHooks hooks);
  // Says good-bye, waits a moment for the answer, hangs up. After it nothing.
  Task<void> quit();

  // Whether send() may be called again, as far as is known.
  bool is_usable() const { return is_open_ && !session_.exchange.is_broken(); }
  // Looks: false also if the peer has hung up or said something since. Before reusing an idle connection.
  Task<bool> is_alive();

  // For the log.
  const std::string& address() const { return session_.address; }  // "192.0.2.1:587", or empty
  const io::TlsInfo* tls() const;                                  // null: clear text
  const mail::Capabilities& capabilities() const { return session_.capabilities; }
  const std::string& mechanism() const { return session_.mechanism; }  // empty: not logged in

 private:
  Task<std::string> commands_ahead(const DotHooks& hooks);

  Session session_;
  std::unique_ptr<Transaction> next_;  // what the latest final dot has taken along
  bool is_open_ = false;
  bool wants_new_connection_ = false;
};

}  // namespace hikyaku::smtpc
