// SPDX-License-Identifier: MIT
#include "smtpc/envelope_dialogue.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/mail/smtp_command.h"

namespace hikyaku::smtpc {
namespace {

using mail::Stage;

constexpr int kBadSequence = 503;

// ORCPT is its type in clear and its address in xtext (RFC 3461 4.2).
std::string orcpt(const std::string& decoded) {
  auto semicolon = decoded.find(';');
  if (semicolon == decoded.npos) return {};
  return cat(" ORCPT=", decoded.substr(0, semicolon + 1), mail::to_xtext(decoded.substr(semicolon + 1)));
}

bool is_hang_up(const ExchangeError& error) {
  return error.io == IoErrorKind::eof || error.io == IoErrorKind::reset;
}

}  // namespace

bool needs_smtputf8(const std::string& address) { return !is_ascii(address); }

std::string mail_command(const mail::Envelope& envelope, const mail::Capabilities& capabilities,
                         const AsSent& sent) {
  std::string command = cat("MAIL FROM:<", sent.sender, ">");
  if (capabilities.size) command += cat(" SIZE=", std::to_string(sent.size));
  if (capabilities.eight_bit_mime && sent.has_eight_bit) command += " BODY=8BITMIME";
  if (capabilities.smtputf8 && (sent.needs_utf8 || envelope.smtputf8)) command += " SMTPUTF8";
  if (sent.handover) command += cat(" ", mail::kHandoverKeyword, "=", mail::to_text(*sent.handover));
  if (!capabilities.dsn) return command;
  if (envelope.ret != mail::Ret::absent)
    command += envelope.ret == mail::Ret::full ? " RET=FULL" : " RET=HDRS";
  if (!envelope.envid.empty()) command += cat(" ENVID=", mail::to_xtext(envelope.envid));
  return command;
}

std::string rcpt_command(const mail::Recipient& recipient, const mail::Capabilities& capabilities) {
  std::string command = cat("RCPT TO:<", recipient.address, ">");
  if (!capabilities.dsn) return command;
  if (!recipient.notify.is_absent()) command += cat(" NOTIFY=", mail::to_text(recipient.notify));
  return command + orcpt(recipient.orcpt);
}

EnvelopeDialogue::EnvelopeDialogue(Session& session, Outcomes& outcomes)
    : session_(session), outcomes_(outcomes), pipelining_(session.pipelines()) {}

std::string EnvelopeDialogue::lines(std::span<const EnvelopeCommand> group) {
  std::string lines;
  for (const EnvelopeCommand& command : group) lines += cat(command.line, "\r\n");
  return lines;
}

Task<void> EnvelopeDialogue::run(std::span<const EnvelopeCommand> commands, std::size_t sent_ahead) {
  pipelining_ = pipelining_ || sent_ahead > 0;
  if (sent_ahead > 0) co_await hear_all(commands.first(sent_ahead), true);
  commands = commands.subspan(sent_ahead);
  const std::size_t step = pipelining_ ? kGroup : 1;
  while (!commands.empty() && is_worthwhile(commands.front())) {
    auto group = commands.first(std::min(step, commands.size()));
    commands = commands.subspan(group.size());
    co_await say(group);
  }
}

Task<void> EnvelopeDialogue::hear_beside_content(std::span<const EnvelopeCommand> commands) {
  content_is_out_ = true;
  co_await hear_all(commands, false);
}

bool EnvelopeDialogue::is_worthwhile(const EnvelopeCommand& command) const {
  if (session_.exchange.is_broken() || outcomes_.is_settled()) return false;
  return command.stage != Stage::data || !outcomes_.accepted().empty();
}

Task<void> EnvelopeDialogue::say(std::span<const EnvelopeCommand> group) {
  const Duration limit = session_.context.smarthost.timeout.command;
  const std::string text = lines(group);
  auto sent = co_await session_.exchange.say(text, limit);
  if (!sent) co_return break_off(group.front().stage, sent.error(), false);
  co_await hear_all(group, false);
}

Task<void> EnvelopeDialogue::hear_all(std::span<const EnvelopeCommand> group, bool is_ahead) {
  const Duration limit = session_.context.smarthost.timeout.command;
  std::optional<mail::Reply> refused;
  for (const EnvelopeCommand& command : group) {
    auto reply = co_await session_.exchange.reply(limit);
    bool is_first = &command == &group.front();
    if (!reply && is_first && is_ahead && is_hang_up(reply.error())) co_return hung_up(reply.error());
    if (!reply) co_return break_off(command.stage, reply.error(), is_ahead || !is_first);
    if (is_ahead) session_.context.knowledge.hang_ups = 0;
    if (is_ahead && is_first && refuses_company(*reply))
      refused = *reply;
    else
      hear(command, *reply);
    if (session_.exchange.has_ended()) co_return;
  }
  if (refused) refused_company(*refused);
}

void EnvelopeDialogue::hear(const EnvelopeCommand& command, const mail::Reply& reply) {
  auto refusal = outcomes_.judge(command.stage, reply);
  if (command.stage != Stage::mail && !mail_accepted_) return hear_after_refused_mail(command, !refusal);
  if (refusal) return hear_refusal(command, std::move(*refusal));
  if (command.stage == Stage::mail) mail_accepted_ = session_.open_transaction = true;
  if (command.stage == Stage::rcpt) outcomes_.accept(command.recipient);
  if (command.stage == Stage::data) data_open_ = true;
}

// The 503 to commands pipelined with a refused MAIL says nothing about the recipients. Anything but a refusal
// must not be trusted.
void EnvelopeDialogue::hear_after_refused_mail(const EnvelopeCommand& command, bool accepted) {
  if (accepted) outcomes_.out_of_step(command.stage, "MAIL was refused, but a later command was accepted");
}

void EnvelopeDialogue::hear_refusal(const EnvelopeCommand& command, Refusal refusal) {
  const bool nobody_left = command.stage == Stage::data && outcomes_.accepted().empty();
  if (nobody_left && refusal.failure.reply->is_permanent()) return;  // the reply only repeats that
  const bool confused = refusal.failure.kind == mail::FailureKind::protocol_error ||
                        refusal.failure.reply->code == kBadSequence;
  if (pipelining_ && confused && refusal.verdict.action != Action::pause_lane)
    return outcomes_.out_of_step(command.stage, mail::to_text(*refusal.failure.reply));
  if (command.stage == Stage::rcpt) return outcomes_.refuse(command.recipient, std::move(refusal));
  outcomes_.refuse_rest(std::move(refusal));
}

// Some peers lose pipelined commands: they answer the first command of a group, and no other.
void EnvelopeDialogue::break_off(Stage stage, const ExchangeError& error, bool amid_group) {
  if (content_is_out_ && error.io) return lose_reply(error);
  const bool went_silent = amid_group && error.io == IoErrorKind::timeout;
  if (pipelining_ && (!error.io || went_silent)) return outcomes_.out_of_step(stage, error.text);
  outcomes_.refuse_rest_as(session_.failure(stage, error));
}

void EnvelopeDialogue::lose_reply(const ExchangeError& error) {
  mail::Failure failure = session_.failure(Stage::message, error);
  failure.kind = mail::FailureKind::reply_lost;
  outcomes_.refuse_rest_as(std::move(failure));
}

// The peer has answered the previous mail, and perhaps takes no more on this connection.
void EnvelopeDialogue::hung_up(const ExchangeError& error) {
  session_.context.knowledge.note_hang_up();
  outcomes_.untried(session_.refusal(session_.failure(Stage::mail, error)));
}

// A 503 to MAIL when no transaction can be open: the peer objects to the pipelining, not to the command.
// (Haraka, on purpose.)
bool EnvelopeDialogue::refuses_company(const mail::Reply& reply) const {
  if (reply.code != kBadSequence) return false;
  auto refusal = session_.judge(Stage::mail, reply);
  return refusal && refusal->verdict.action != Action::pause_lane;
}

// All pipelined commands were refused, and the connection can still be used.
void EnvelopeDialogue::refused_company(const mail::Reply& reply) {
  session_.context.knowledge.plain_dialogue = true;
  mail::Failure failure = session_.failure(Stage::mail, mail::FailureKind::protocol_error);
  failure.reply = reply;
  outcomes_.untried(
      {std::move(failure), {.action = Action::defer_message, .kind = mail::FailureKind::protocol_error}});
}

}  // namespace hikyaku::smtpc
