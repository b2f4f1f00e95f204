// SPDX-License-Identifier: MIT
// What goes into a transaction and what comes out of it. Plain values.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "daemon/base/task.h"
#include "daemon/mail/mail_source.h"
#include "smtpc/verdict.h"

namespace hikyaku::smtpc {

// One mail for some of its recipients. What is referred to lives until the send is over.
struct Consignment {
  const mail::QueuedMail& mail;
  std::vector<std::size_t> recipients;  // indices into the envelope's; at least one
  mail::ContentReader& content;         // at its beginning
  bool proven = false;                  // the smarthost has accepted mail with this configuration
};

// What its sender wants to say when the final dot is about to leave. Each may be empty.
struct DotHooks {
  // Awaited first: the previous mail's outcome must be on stable storage. False: this mail must not go; the
  // connection is broken off before the dot.
  std::function<Task<bool>()> may_leave;
  // Then, where commands may travel together: the mail whose MAIL, RCPT and DATA go along. It must be the
  // next that is sent. Nothing: there is none.
  std::function<Task<std::optional<Consignment>>()> following;
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
  // The host that took it, if it does not know DSN: whoever wants to hear of success hears it from us.
  std::optional<std::string> taken_without_dsn;
  // The peer hung up after the mail before, without a word to what had travelled with its dot, or refused all
  // of it because it had: this one has not been tried.
  bool is_untried = false;
};

}  // namespace hikyaku::smtpc
