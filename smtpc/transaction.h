// SPDX-License-Identifier: MIT
// One mail transaction: MAIL, RCPT, DATA, the content, and what became of each recipient. Nothing counts as
// delivered but by the 2yz to the final dot, and nothing as refused but by a reply to its own command.
#pragma once

#include <functional>
#include <optional>
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
  // Those that something definite happened to, in no particular order: delivered, or refused by themselves.
  std::vector<RecipientOutcome> recipients;
  // What happened to all others: MAIL, DATA or the message refused, or the connection lost. With
  // FailureKind::reply_lost the mail has perhaps been delivered.
  std::optional<Refusal> rest;
  std::optional<mail::Reply> final_reply;  // to the final dot of a mail with recipients
};

Task<TransactionResult> run_transaction(Session& session, Consignment consignment);

}  // namespace hikyaku::smtpc
