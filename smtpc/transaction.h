// SPDX-License-Identifier: MIT
// One mail transaction: MAIL, RCPT, DATA, the content, and what became of each recipient. Only the 2yz to the
// final dot makes a recipient delivered, and only a reply to its own command makes one refused. The commands
// may travel with the final dot of the transaction before (RFC 2920 3.1): then a mail costs one round trip.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/dkim/signing_reader.h"
#include "daemon/mail/mail_source.h"
#include "daemon/mail/rewriting_reader.h"
#include "daemon/mail/smtp_reply.h"
#include "smtpc/content.h"
#include "smtpc/envelope_dialogue.h"
#include "smtpc/outcomes.h"
#include "smtpc/session.h"

namespace hikyaku::smtpc {

class Transaction {
 public:
  // The session outlives the transaction.
  Transaction(Session& session, Consignment consignment);
  Transaction(const Transaction&) = delete;

  // Makes of the mail what this smarthost is to get, and refuses what needs no question: a mail that is too
  // large, an address that cannot travel. Reads the content. To be called once, first.
  Task<void> prepare();
  // MAIL, RCPT and DATA, as far as they fit into one group; from then on they count as sent. Empty if no
  // command may be sent ahead.
  std::string commands_ahead();
  // The dialogue, up to the reply to the final dot.
  Task<TransactionResult> run(const MayLeave& may_leave, const Following& following);

 private:
  bool is_going_on() const { return !outcomes_.is_settled() && !to_try_.empty(); }
  Task<void> prepare_content();
  Task<void> sign();
  mail::ContentReader& content();
  void check_size();
  void check_addresses();
  bool travels(const std::string& address);
  Task<void> look_at_content();
  Task<void> reset();
  std::vector<EnvelopeCommand> commands() const;
  Task<void> converse(const MayLeave& may_leave, const Following& following);
  Task<void> say_content(const MayLeave& may_leave, const Following& following);
  Task<void> say_lone_dot();
  Task<void> say_chunk(const MayLeave& may_leave);
  void hear_chunk(const mail::Reply& reply, bool is_heard);
  void hear_end(const mail::Reply& reply);
  void refuse_unsaid(const mail::Reply& reply);

  Session& session_;
  Consignment consignment_;
  std::vector<std::size_t> to_try_;
  Outcomes outcomes_;
  std::vector<EnvelopeCommand> commands_;
  std::size_t sent_ahead_ = 0;  // of the commands
  bool is_chunk_ = false;       // BDAT instead of DATA
  AsSent sent_;
  mail::OutgoingContent content_;
  std::unique_ptr<dkim::SigningReader> signed_;  // reads that; null: there are no keys
};

}  // namespace hikyaku::smtpc
