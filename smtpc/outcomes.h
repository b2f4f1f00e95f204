// SPDX-License-Identifier: MIT
// What goes into a transaction and what comes out of it, and how the outcome of each recipient is collected
// meanwhile.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "daemon/base/task.h"
#include "daemon/mail/mail_source.h"
#include "smtpc/session.h"
#include "smtpc/verdict.h"

namespace hikyaku::smtpc {

// One mail for some of its recipients. The references must be valid until the send is over.
struct Consignment {
  const mail::QueuedMail& mail;
  std::vector<std::size_t> recipients;  // indices into the envelope's; at least one
  mail::ContentReader& content;         // at its beginning
  bool proven = false;                  // the smarthost has accepted mail with this configuration
};

// Called when a mail's final dot is about to leave. Each may be empty.
struct DotHooks {
  // Awaited first: the previous mail's outcome must be on stable storage. False: this mail must not go; the
  // connection is broken off before the dot.
  std::function<Task<bool>()> may_leave;
  // Then, where commands may travel together: returns the mail whose MAIL, RCPT and DATA travel with the dot,
  // which must be the next that is sent; nullopt if there is none.
  std::function<Task<std::optional<Consignment>>()> following;
};

struct RecipientOutcome {
  std::size_t recipient = 0;       // index into the envelope's
  std::optional<Refusal> refusal;  // nullopt: delivered, with TransactionResult::final_reply
};

struct TransactionResult {
  // Recipients with an outcome of their own, delivered or refused, in no particular order.
  std::vector<RecipientOutcome> recipients;
  // The outcome of all others: MAIL, DATA or the message refused, or the connection lost. With
  // FailureKind::reply_lost the mail has perhaps been delivered.
  std::optional<Refusal> rest;
  std::optional<mail::Reply> final_reply;  // to the final dot of a mail with recipients
  // The host that took the mail, if it does not offer DSN: a sender who asked for a notice of success gets it
  // from us.
  std::optional<std::string> taken_without_dsn;
  // What has signed the mail, "example.com/hk202612", or one word that says why nothing has; empty where there are
  // no keys.
  std::string signature;
  // This mail's commands were pipelined behind the previous mail's final dot, and the server closed the
  // connection or rejected them all because of that. The mail was not attempted.
  bool is_untried = false;

  // Of a recipient that was tried: its own refusal, else that of the rest. nullptr means delivered. A missing
  // outcome is never taken as delivered.
  const Refusal* refusal_of(std::size_t recipient) const;
};

// Collects the outcome of each recipient during one transaction. Completes each failure with the addresses it
// is about, and gives the connection up where the verdict wants that. Internal to the transaction.
class Outcomes {
 public:
  // Both outlive the object.
  Outcomes(Session& session, const Consignment& consignment) : session_(session), consignment_(consignment) {}

  // RCPT was accepted; delivered only when the message is.
  void accept(std::size_t recipient) { accepted_.push_back(recipient); }
  void refuse(std::size_t recipient, Refusal refusal);
  void note_signature(std::string signature) { signature_ = std::move(signature); }
  // The outcome of every recipient without one of its own. Only the first call counts.
  void refuse_rest(Refusal refusal);
  // The message was accepted for all accepted recipients.
  void deliver(const mail::Reply& reply);
  // Replies and commands are out of step: no reply of this transaction counts.
  void out_of_step(mail::Stage stage, std::string what);

  // The whole mail has been sent, and only the last reply says whether it was taken: the connection is not
  // given up before end(), whatever is refused meanwhile.
  void hear_to_the_end() { hears_to_the_end_ = true; }
  void end();

  // The peer hung up before it said anything about this mail, or refused all its commands because they came
  // with a final dot.
  void untried(Refusal refusal);

  // The refusal that a reply means; nullopt if it is none.
  std::optional<Refusal> judge(mail::Stage stage, const mail::Reply& reply) const {
    return session_.judge(stage, reply, consignment_.proven);
  }
  // A permanent refusal of our own, before any command is sent.
  Refusal final_refusal(Action action, mail::FailureKind kind) const;
  void refuse_rest_as(mail::Failure failure) { refuse_rest(session_.refusal(std::move(failure))); }

  const std::vector<std::size_t>& accepted() const { return accepted_; }
  bool is_settled() const { return result_.rest.has_value(); }
  // A recipient without an outcome is never counted as delivered; it is recorded as "connection lost".
  TransactionResult take();

 private:
  // As the smarthost was told it.
  const std::string& sender() const {
    return mail::sender_as_sent(session_.context.smarthost.rewrite, consignment_.mail.envelope.sender);
  }

  Session& session_;
  const Consignment& consignment_;
  std::vector<std::size_t> accepted_;
  TransactionResult result_;
  std::string signature_;
  bool hears_to_the_end_ = false;
  bool gives_up_ = false;  // give the connection up at the end
};

}  // namespace hikyaku::smtpc
