// SPDX-License-Identifier: MIT
// What befell whom in one transaction, as it becomes known. Completes each failure with the addresses it is
// about and gives the connection up where the verdict wants that. Internal to the transaction.
#pragma once

#include <vector>

#include "smtpc/consignment.h"
#include "smtpc/session.h"

namespace hikyaku::smtpc {

class Outcomes {
 public:
  // Both outlive it.
  Outcomes(Session& session, const Consignment& consignment) : session_(session), consignment_(consignment) {}

  // RCPT was accepted; delivered only when the message is.
  void accept(std::size_t recipient) { accepted_.push_back(recipient); }
  void refuse(std::size_t recipient, Refusal refusal);
  // Whoever has no outcome of their own has this one. The first counts.
  void refuse_rest(Refusal refusal);
  // The message was accepted for all accepted recipients.
  void deliver(const mail::Reply& reply);
  // Replies and commands do not belong together: nothing that was heard counts for anybody.
  void out_of_step(mail::Stage stage, std::string what);

  // The whole mail has been sent, and only the last reply says whether it was taken: whatever is refused
  // meanwhile, the connection is not given up before end().
  void hear_to_the_end() { hears_to_the_end_ = true; }
  void end();

  // The peer has hung up before it said anything about this mail, or refused all of it for coming with a dot.
  void untried(Refusal refusal);

  // What a reply means; nothing: go on.
  std::optional<Refusal> judge(mail::Stage stage, const mail::Reply& reply) const {
    return session_.judge(stage, reply, consignment_.proven);
  }
  // Ours, before anything is said: for good, whatever the smarthost would say.
  Refusal final_refusal(Action action, mail::FailureKind kind) const;
  void refuse_rest_as(mail::Failure failure) { refuse_rest(session_.refusal(std::move(failure))); }

  const std::vector<std::size_t>& accepted() const { return accepted_; }
  bool is_settled() const { return result_.rest.has_value(); }
  // Nobody has got the mail for want of an outcome: who has none is told that it broke off.
  TransactionResult take();

 private:
  Session& session_;
  const Consignment& consignment_;
  std::vector<std::size_t> accepted_;
  TransactionResult result_;
  bool hears_to_the_end_ = false;
  bool gives_up_ = false;  // at the end
};

}  // namespace hikyaku::smtpc
