// SPDX-License-Identifier: MIT
// The client's side of SMTP with one smarthost over one connection: opening it, any number of mails, the end.
// Reads top to bottom like the dialogue in the RFC. It decides nothing about the queue: what befell whom is
// its result, with the verdict that follows from it. Not destroyed while one of its tasks is under way;
// destroying it hangs up.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/mail/mail_source.h"
#include "smtpc/session.h"

namespace hikyaku::smtpc {

// One mail for some of its recipients. What is referred to lives until the send is over.
struct Consignment {
  const mail::QueuedMail& mail;
  std::vector<std::size_t> recipients;  // indices into the envelope's; at least one
  mail::ContentReader& content;         // at its beginning
  bool proven = false;                  // the smarthost has accepted mail with this configuration
  // Awaited before the final dot leaves (the previous mail's outcome must be on stable storage first). False:
  // this mail must not go; the connection is broken off before the dot. Empty: nothing to wait for.
  std::function<Task<bool>()> before_final_dot;
};

struct RecipientOutcome {
  std::size_t recipient = 0;       // index into the envelope's
  std::optional<Refusal> refusal;  // nothing: delivered, with TransactionResult::final_reply
};

struct TransactionResult {
  // Those that something definite happened to, in the order tried: delivered, or refused by themselves.
  std::vector<RecipientOutcome> recipients;
  // What happened to all others: MAIL, DATA or the message refused, or the connection lost. With
  // FailureKind::reply_lost the mail has perhaps been delivered.
  std::optional<Refusal> rest;
  std::optional<mail::Reply> final_reply;  // to the final dot of a mail with recipients
};

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

  Task<TransactionResult> send(Consignment consignment);
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
  Session session_;
  bool is_open_ = false;
  bool wants_new_connection_ = false;
};

}  // namespace hikyaku::smtpc
