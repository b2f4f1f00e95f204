// SPDX-License-Identifier: MIT
// What a lane learns from its results: about its smarthost's health, and about mails that were refused in a
// way that may concern all of them.
#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "smtpc/lane.h"

namespace hikyaku::smtpc {
namespace {

// Those who were refused in a way that may concern all mail.
std::vector<std::string> refused_so(const TransactionResult& result, const Job& job) {
  constexpr std::size_t kMost = 16;  // enough to tell mails apart
  auto is_so = [](const std::optional<Refusal>& refusal) {
    return refusal && refusal->verdict.action == Action::weigh_evidence;
  };
  std::vector<std::string> whom;
  for (std::size_t i = 0; i < job.recipients.size() && whom.size() < kMost; ++i) {
    auto own = std::ranges::find(result.recipients, job.recipients[i], &RecipientOutcome::recipient);
    if (is_so(own != result.recipients.end() ? own->refusal : result.rest))
      whom.push_back(to_lower(job.mail.envelope.recipients[job.recipients[i]].address));
  }
  return whom;
}

// It is about this mail: a 5yz is final, a 4yz a "not now".
void take_for_its_own(Refusal& refusal) {
  const bool is_final = refusal.failure.reply && refusal.failure.reply->is_permanent();
  const bool is_of_one = refusal.failure.concerns == mail::Concerns::recipient;
  refusal.verdict.action = is_of_one ? (is_final ? Action::fail_recipient : Action::defer_recipient)
                                     : (is_final ? Action::fail_message : Action::defer_message);
  refusal.verdict.kind = refusal.failure.kind =
      is_of_one ? mail::FailureKind::recipient_refused : mail::FailureKind::message_refused;
  refusal.failure.is_evidence = false;
}

}  // namespace

void Lane::learn(const TransactionResult& result, mail::MailId id, unsigned round) {
  bool in_order = true;
  auto hear = [&](const Refusal& refusal) {
    in_order = in_order && refusal.verdict.action != Action::abort_attempt &&
               refusal.verdict.action != Action::pause_lane &&
               refusal.verdict.action != Action::weigh_evidence;
    learn(refusal, id, round);
  };
  for (const RecipientOutcome& outcome : result.recipients)
    if (outcome.refusal) hear(*outcome.refusal);
  if (result.rest) hear(*result.rest);
  if (result.final_reply)
    tell(health_.delivered(id, loop_.now()));
  else if (in_order)
    tell(health_.settled());
}

void Lane::learn(const Refusal& refusal, std::optional<mail::MailId> id, unsigned round) {
  const bool is_slowing = refusal.verdict.slow_down || refusal.failure.kind == mail::FailureKind::refused;
  if (is_slowing && !health_.is_stale(round)) health_.slow_down(loop_.now());
  bool concerns_us = refusal.failure.kind != mail::FailureKind::source_damaged;
  switch (refusal.verdict.action) {
    case Action::pause_lane: return tell(health_.refused(refusal.failure, loop_.now(), round, id));
    case Action::defer_unproven: return tell(health_.suspected(refusal.failure));
    case Action::abort_attempt:
      if (id && concerns_us) tell(health_.aborted(refusal.failure, loop_.now(), round, *id));
      return;
    default: return;
  }
}

// What a refusal that may concern this mail or all of ours has shown, together with those of before. Behind
// learn(): what was accepted for other recipients speaks for the smarthost first.
void Lane::weigh(TransactionResult& result, const Job& job, unsigned round) {
  std::vector<Refusal*> refusals;
  for (RecipientOutcome& outcome : result.recipients)
    if (outcome.refusal) refusals.push_back(&*outcome.refusal);
  if (result.rest) refusals.push_back(&*result.rest);
  std::erase_if(refusals, [](const Refusal* each) { return each->verdict.action != Action::weigh_evidence; });
  if (refusals.empty()) return;
  mail::Failure why = refusals.front()->failure;
  why.concerns = mail::Concerns::smarthost;
  why.is_evidence = false;
  auto weighed = health_.weigh(why, loop_.now(), round,
                               {.id = job.mail.id,
                                .kind = why.kind,
                                .sender = to_lower(job.mail.envelope.sender),
                                .recipients = refused_so(result, job)});
  if (weighed.finding == Finding::mail)
    for (Refusal* each : refusals) take_for_its_own(*each);
  tell(weighed.changed);
}

}  // namespace hikyaku::smtpc
