// SPDX-License-Identifier: MIT
// Input and result of a transaction. Plain values.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "daemon/base/task.h"
#include "daemon/mail/mail_source.h"
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
  // This mail's commands were pipelined behind the previous mail's final dot, and the server closed the
  // connection or rejected them all because of that. The mail was not attempted.
  bool is_untried = false;
};

}  // namespace hikyaku::smtpc
