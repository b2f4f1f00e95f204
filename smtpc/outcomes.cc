// SPDX-License-Identifier: MIT
#include "smtpc/outcomes.h"

#include <algorithm>
#include <utility>

#include "daemon/base/error.h"

namespace hikyaku::smtpc {
namespace {

// A few replies to RCPT are about the whole message; they are recorded for the one recipient that they
// answer.
Action for_one(Action action) {
  if (action == Action::fail_message) return Action::fail_recipient;
  return action == Action::defer_message ? Action::defer_recipient : action;
}

bool ends_connection(Action action) {
  return action == Action::pause_lane || action == Action::abort_attempt;
}

// A refusal that bounces at once even on an unproven smarthost is about the mail, so the operator should not
// look for a mistake in the configuration.
bool is_doubtful(const Refusal& refusal) { return refusal.verdict.action == Action::defer_unproven; }

}  // namespace

const Refusal* TransactionResult::refusal_of(std::size_t recipient) const {
  auto own = std::ranges::find(recipients, recipient, &RecipientOutcome::recipient);
  if (own != recipients.end()) return own->refusal ? &*own->refusal : nullptr;
  check(rest.has_value(), "a recipient was tried and has no outcome");
  return &*rest;
}

void Outcomes::refuse(std::size_t recipient, Refusal refusal) {
  if (ends_connection(refusal.verdict.action)) return refuse_rest(std::move(refusal));
  refusal.verdict.action = for_one(refusal.verdict.action);
  refusal.failure.concerns = mail::Concerns::recipient;
  refusal.failure.sender = sender();
  refusal.failure.unproven = is_doubtful(refusal);
  refusal.failure.is_evidence = refusal.verdict.action == Action::weigh_evidence;
  refusal.failure.recipient = consignment_.mail.envelope.recipients[recipient].address;
  result_.recipients.push_back({recipient, std::move(refusal)});
}

void Outcomes::refuse_rest(Refusal refusal) {
  gives_up_ = gives_up_ || ends_connection(refusal.verdict.action);
  if (!hears_to_the_end_) end();
  if (result_.rest) return;
  refusal.failure.sender = sender();
  if (refusal.failure.size == 0) refusal.failure.size = consignment_.mail.size;
  refusal.failure.max_size = session_.capabilities.max_size;
  refusal.failure.unproven = is_doubtful(refusal);
  refusal.failure.is_evidence = refusal.verdict.action == Action::weigh_evidence;
  result_.rest = std::move(refusal);
}

void Outcomes::end() {
  if (gives_up_) session_.exchange.give_up();
}

void Outcomes::deliver(const mail::Reply& reply) {
  for (std::size_t recipient : accepted_) result_.recipients.push_back({recipient, {}});
  result_.final_reply = reply;
  if (!session_.capabilities.dsn) result_.taken_without_dsn = session_.context.smarthost.host;
}

void Outcomes::out_of_step(mail::Stage stage, std::string what) {
  session_.context.knowledge.plain_dialogue = true;
  result_ = {};
  mail::Failure failure = session_.failure(stage, mail::FailureKind::protocol_error);
  failure.detail = std::move(what);
  refuse_rest_as(std::move(failure));
  end();
}

void Outcomes::untried(Refusal refusal) {
  refuse_rest(std::move(refusal));
  result_.is_untried = true;
}

TransactionResult Outcomes::take() {
  auto is_open = [&](std::size_t recipient) {
    return std::ranges::find(result_.recipients, recipient, &RecipientOutcome::recipient) ==
           result_.recipients.end();
  };
  if (!result_.rest && std::ranges::any_of(consignment_.recipients, is_open))
    refuse_rest_as(session_.failure(mail::Stage::mail, mail::FailureKind::closed_early));
  result_.signature = std::move(signature_);
  return std::move(result_);
}

Refusal Outcomes::final_refusal(Action action, mail::FailureKind kind) const {
  Refusal refusal{session_.failure(mail::Stage::mail, kind), {.action = action, .kind = kind}};
  refusal.failure.concerns = concerns(mail::Stage::mail, action);
  return refusal;
}

}  // namespace hikyaku::smtpc
