// SPDX-License-Identifier: MIT
#include "smtpc/transaction.h"

#include <algorithm>
#include <utility>

#include "daemon/base/error.h"
#include "daemon/base/text.h"

namespace hikyaku::smtpc {
namespace {

using mail::FailureKind;
using mail::Stage;

// The peer noticed pipelined commands (some servers check for them) and complains instead of taking the mail.
// Or its reply is about an address (X.1.Y): then it answers MAIL before the dot, and its answer to the mail
// is unknown.
bool complains_about_pipelining(const mail::Reply& reply) {
  if (!reply.is_permanent()) return reply.status && reply.status->subject == 1 && !reply.is_transient();
  const std::string text = to_lower(join(reply.lines, " "));
  return text.find("synchroni") != std::string::npos || text.find("pipelin") != std::string::npos;
}

}  // namespace

Transaction::Transaction(Session& session, Consignment consignment)
    : session_(session),
      consignment_(std::move(consignment)),
      to_try_(consignment_.recipients),
      outcomes_(session, consignment_),
      content_(consignment_.content, consignment_.mail.size, session.context.smarthost) {
  check(!to_try_.empty(), "a transaction without recipients");
}

Task<void> Transaction::prepare() {
  co_await prepare_content();
  if (is_going_on()) co_await sign();
  check_size();
  check_addresses();
  if (is_going_on()) co_await look_at_content();
  is_chunk_ = session_.chunks();
  if (is_going_on()) commands_ = commands();
}

std::string Transaction::commands_ahead() {
  if (!is_going_on() || !session_.pipelines() || is_chunk_) return {};
  sent_ahead_ = std::min(commands_.size(), EnvelopeDialogue::kGroup);
  return EnvelopeDialogue::lines(std::span(commands_).first(sent_ahead_));
}

Task<TransactionResult> Transaction::run(const MayLeave& may_leave, const Following& following) {
  if (is_going_on()) co_await reset();
  if (is_going_on()) co_await converse(may_leave, following);
  co_return outcomes_.take();
}

Task<void> Transaction::prepare_content() {
  const mail::Rewriting& rules = session_.context.smarthost.rewrite;
  sent_.sender = mail::sender_as_sent(rules, consignment_.mail.envelope.sender);
  auto prepared = co_await content_.prepare();
  sent_.size = content_.size();
  if (session_.context.hands_over && session_.capabilities.handover)
    sent_.handover = mail::handover_of(consignment_.mail);
  if (!prepared) outcomes_.refuse_rest_as(unreadable(session_, prepared.error()));
}

// Last: what is signed is what leaves.
Task<void> Transaction::sign() {
  const dkim::KeyRing* keys = session_.context.keys;
  if (keys == nullptr || keys->is_empty()) co_return;
  signed_ = std::make_unique<dkim::SigningReader>(session_.context.loop, content_.reader(), *keys,
                                                  session_.context.smarthost.dkim);
  auto prepared = co_await signed_->prepare(sent_.size);
  if (!prepared) co_return outcomes_.refuse_rest_as(unreadable(session_, prepared.error()));
  sent_.size += signed_->added();
  outcomes_.note_signature(signed_->word());
}

mail::ContentReader& Transaction::content() {
  return signed_ ? static_cast<mail::ContentReader&>(*signed_) : content_.reader();
}

// RFC 1870: a mail above the announced limit need not be tried. 0 means no limit.
void Transaction::check_size() {
  const std::uint64_t limit = session_.capabilities.max_size;
  if (!session_.capabilities.size || limit == 0 || sent_.size <= limit) return;
  Refusal refusal = outcomes_.final_refusal(Action::fail_message, FailureKind::too_large);
  refusal.failure.size = sent_.size;
  outcomes_.refuse_rest(std::move(refusal));
}

bool Transaction::travels(const std::string& address) {
  if (!needs_smtputf8(address)) return true;
  sent_.needs_utf8 = true;
  return session_.capabilities.smtputf8;
}

void Transaction::check_addresses() {
  const mail::Envelope& envelope = consignment_.mail.envelope;
  if (!travels(sent_.sender))
    outcomes_.refuse_rest(outcomes_.final_refusal(Action::fail_message, FailureKind::smtputf8_needed));
  if (!is_going_on()) return;
  std::erase_if(to_try_, [&](std::size_t recipient) {
    bool stays = travels(envelope.recipients[recipient].address);
    if (!stays)
      outcomes_.refuse(recipient,
                       outcomes_.final_refusal(Action::fail_recipient, FailureKind::smtputf8_needed));
    return !stays;
  });
}

Task<void> Transaction::look_at_content() {
  const mail::Body body = consignment_.mail.envelope.body;
  sent_.has_eight_bit = body == mail::Body::eight_bit_mime;
  if (consignment_.mail.envelope.traits.is_seven_bit) co_return;
  if (body != mail::Body::absent || !session_.capabilities.eight_bit_mime) co_return;
  auto found = co_await has_eight_bit(content());
  if (found)
    sent_.has_eight_bit = *found;
  else
    outcomes_.refuse_rest_as(unreadable(session_, found.error()));
}

// Needed only after a transaction that was begun and did not reach its dot.
Task<void> Transaction::reset() {
  if (!session_.open_transaction || sent_ahead_ > 0) co_return;
  auto reply = co_await session_.exchange.ask("RSET", session_.context.smarthost.timeout.command);
  session_.open_transaction = false;
  if (!reply) co_return outcomes_.refuse_rest_as(session_.failure(Stage::mail, reply.error()));
  refuse_unsaid(*reply);
}

std::vector<EnvelopeCommand> Transaction::commands() const {
  const mail::Capabilities& capabilities = session_.capabilities;
  std::vector<EnvelopeCommand> list;
  list.push_back({Stage::mail, 0, mail_command(consignment_.mail.envelope, capabilities, sent_)});
  for (std::size_t recipient : to_try_)
    list.push_back({Stage::rcpt, recipient,
                    rcpt_command(consignment_.mail.envelope.recipients[recipient], capabilities)});
  if (!is_chunk_) list.push_back({Stage::data, 0, "DATA"});
  return list;
}

Task<void> Transaction::converse(const MayLeave& may_leave, const Following& following) {
  if (is_chunk_) co_return co_await say_chunk(may_leave);
  EnvelopeDialogue dialogue(session_, outcomes_);
  co_await dialogue.run(commands_, sent_ahead_);
  if (!dialogue.is_data_open() || session_.exchange.has_ended()) co_return;
  session_.open_transaction = false;
  if (outcomes_.accepted().empty())
    co_await say_lone_dot();
  else
    co_await say_content(may_leave, following);
}

Task<void> Transaction::say_content(const MayLeave& may_leave, const Following& following) {
  // Neither a rule nor a signature makes a line that begins with a dot.
  const bool has_no_dot_line = consignment_.mail.envelope.traits.has_no_dot_line;
  auto sent = co_await send_content(session_, content(), has_no_dot_line, may_leave, following);
  if (sent.failure && sent.failure->kind == FailureKind::protocol_error && session_.pipelines())
    co_return outcomes_.out_of_step(Stage::message, sent.failure->detail);
  if (sent.had_company && sent.failure && sent.failure->kind == FailureKind::reply_lost)
    session_.context.knowledge
        .note_hang_up();  // some servers crash on such commands, with the mail delivered
  if (sent.failure) co_return outcomes_.refuse_rest_as(std::move(*sent.failure));
  if (sent.had_company && complains_about_pipelining(*sent.reply))
    co_return outcomes_.out_of_step(Stage::message, mail::to_text(*sent.reply));
  hear_end(*sent.reply);
}

void Transaction::hear_end(const mail::Reply& reply) {
  auto refusal = outcomes_.judge(Stage::message, reply);
  if (refusal)
    outcomes_.refuse_rest(std::move(*refusal));
  else
    outcomes_.deliver(reply);
}

// A small mail is one write with its envelope; for a large one the replies to RCPT are awaited first, since
// all recipients may be refused.
Task<void> Transaction::say_chunk(const MayLeave& may_leave) {
  EnvelopeDialogue dialogue(session_, outcomes_);
  Chunk chunk{.size = sent_.size, .front = EnvelopeDialogue::lines(commands_)};
  bool is_heard = false;
  if (chunk.front.size() + chunk.size <= kMostTogether && commands_.size() <= EnvelopeDialogue::kGroup) {
    chunk.hear_front = [&] {
      is_heard = true;
      outcomes_.hear_to_the_end();
      return dialogue.hear_beside_content(commands_);
    };
  } else {
    is_heard = true;
    chunk.front.clear();
    co_await dialogue.run(commands_, 0);
    if (outcomes_.accepted().empty() || outcomes_.is_settled() || session_.exchange.is_broken()) co_return;
  }
  auto sent = co_await send_chunk(session_, content(), std::move(chunk), may_leave);
  if (sent.failure) outcomes_.refuse_rest_as(std::move(*sent.failure));
  if (sent.reply) hear_chunk(*sent.reply, is_heard);
  outcomes_.end();
}

// If all recipients were refused, the reply to the chunk only repeats that, and the transaction stays open. A
// reply that came before anything was sent does not answer this mail.
void Transaction::hear_chunk(const mail::Reply& reply, bool is_heard) {
  if (!is_heard) return refuse_unsaid(reply);
  if (outcomes_.accepted().empty()) return;
  session_.open_transaction = false;
  hear_end(reply);
}

void Transaction::refuse_unsaid(const mail::Reply& reply) {
  auto refusal = outcomes_.judge(Stage::mail, reply);
  if (!refusal) return;
  refusal->verdict = verdict(Stage::mail, FailureKind::protocol_error);  // not about this message
  outcomes_.refuse_rest(std::move(*refusal));
}

// DATA was pipelined with RCPTs that were all refused, and 354 came nevertheless (RFC 2920 3.1). Whatever the
// reply, no recipient got the mail.
Task<void> Transaction::say_lone_dot() {
  [[maybe_unused]] auto reply = co_await session_.exchange.ask(".", session_.context.smarthost.timeout.data);
}

}  // namespace hikyaku::smtpc
