// SPDX-License-Identifier: MIT
// One mail transaction: MAIL, RCPT, DATA, the content, and what became of each recipient. Nothing counts as
// delivered but by the 2yz to the final dot, and nothing as refused but by a reply to its own command. Its
// commands may travel with the final dot of the transaction before (RFC 2920 3.1): then a mail costs one
// round trip.
#pragma once

#include <string>
#include <vector>

#include "daemon/mail/mail_source.h"
#include "daemon/mail/smtp_reply.h"
#include "smtpc/consignment.h"
#include "smtpc/content.h"
#include "smtpc/envelope_dialogue.h"
#include "smtpc/outcomes.h"
#include "smtpc/session.h"

namespace hikyaku::smtpc {

class Transaction {
 public:
  // The session outlives it.
  Transaction(Session& session, Consignment consignment);
  Transaction(const Transaction&) = delete;

  // What can be told without asking: a mail that is too large, an address that cannot travel. Reads the
  // content. Once, before anything else.
  Task<void> prepare();
  // MAIL, RCPT and DATA, as far as they fit into one group; from then on they count as sent. Empty: none may
  // go ahead.
  std::string commands_ahead();
  // The dialogue, up to the reply to the final dot.
  Task<TransactionResult> run(const MayLeave& may_leave, const Following& following);

 private:
  bool is_going_on() const { return !outcomes_.is_settled() && !to_try_.empty(); }
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
  bool has_eight_bit_ = false;
  bool needs_utf8_ = false;
};

// MAIL and RCPT as they go out: no space behind the colon, angle brackets always (RFC 5321 4.1.1), a
// parameter only where the smarthost offers its extension. Pure. Without line ends.

// Whether an address cannot travel without SMTPUTF8 (RFC 6531).
bool needs_smtputf8(const std::string& address);

// `has_eight_bit`: the content has bytes from 0x80, or says that it may. `needs_utf8`: an address of the
// transaction needs SMTPUTF8; the smarthost offers it then.
std::string mail_command(const mail::QueuedMail& mail, const mail::Capabilities& capabilities,
                         bool has_eight_bit, bool needs_utf8);
std::string rcpt_command(const mail::Recipient& recipient, const mail::Capabilities& capabilities);

}  // namespace hikyaku::smtpc
