// SPDX-License-Identifier: MIT
#include "smtpc/rehearsal.h"

#include <utility>

#include "smtpc/envelope_dialogue.h"

namespace hikyaku::smtpc {
namespace {

using mail::Stage;
using Step = Result<void, Refusal>;

constexpr std::uint64_t kUsualSize = 2000;  // bytes; for SIZE

Task<Step> ask(Session& session, Stage stage, std::string command, const mail::Envelope& envelope) {
  auto reply = co_await session.exchange.ask(command, session.context.smarthost.timeout.command);
  std::optional<Refusal> refused =
      reply ? session.judge(stage, *reply) : session.refusal(session.failure(stage, reply.error()));
  if (!refused) co_return Step{};
  refused->failure.sender = envelope.sender;
  if (stage == Stage::rcpt) refused->failure.recipient = envelope.recipients.front().address;
  co_return std::unexpected(std::move(*refused));
}

}  // namespace

Task<Step> rehearse(Session& session, std::string sender, std::string recipient) {
  mail::Envelope envelope;
  envelope.sender = mail::sender_as_sent(session.context.smarthost.rewrite, sender);
  envelope.recipients.push_back({.address = std::move(recipient), .notify = {}, .orcpt = {}});
  const mail::Recipient& to = envelope.recipients.front();
  const AsSent sent{.sender = envelope.sender,
                    .size = kUsualSize,
                    .needs_utf8 = needs_smtputf8(envelope.sender) || needs_smtputf8(to.address)};
  auto answer =
      co_await ask(session, Stage::mail, mail_command(envelope, session.capabilities, sent), envelope);
  if (answer) answer = co_await ask(session, Stage::rcpt, rcpt_command(to, session.capabilities), envelope);
  if (!session.exchange.is_broken()) [[maybe_unused]]
    auto reset = co_await session.exchange.ask("RSET", session.context.smarthost.timeout.command);
  co_return answer;
}

}  // namespace hikyaku::smtpc
