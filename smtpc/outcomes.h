// SPDX-License-Identifier: MIT
// Collects the outcome of each recipient during one transaction. Completes each failure with the addresses it
// is about, and gives the connection up where the verdict wants that. Internal to the transaction.
#pragma once

#include <vector>

#include "smtpc/consignment.h"
#include "smtpc/session.h"

namespace hikyaku::smtpc {

class Outcomes {
 public:
  // Both outlive the object.
  Outcomes(Session& session, const Consignment& consignment) : session_(session), consignment_(consignment) {}

  // RCPT was accepted; delivered only when the message is.
  void accept(std::size_t recipient) { accepted_.push_back(recipient); }
  void refuse(std::size_t recipient, Refusal refusal);
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
  Session& session_;
  const Consignment& consignment_;
  std::vector<std::size_t> accepted_;
  TransactionResult result_;
  bool hears_to_the_end_ = false;
  bool gives_up_ = false;  // give the connection up at the end
};

}  // namespace hikyaku::smtpc
