// SPDX-License-Identifier: MIT
#include "smtpc/lane.h"

#include <algorithm>
#include <utility>

#include "daemon/base/check.h"

namespace hikyaku::smtpc {
Lane::Lane(io::Loop& loop, Connector& connector, LaneWork& work, LaneOptions options, Jitter jitter)
    : loop_(loop),
      connector_(connector),
      work_(work),
      options_(std::move(options)),
      health_(options_.smarthost.connections, options_.proven, std::move(jitter)),
      changed_(loop),
      nursery_(loop) {}

Lane::~Lane() { check(links_.empty(), "a lane went with connections"); }

Task<void> Lane::run() {
  while (!retired_) {
    if (health_.is_paused()) {
      co_await probe();
      continue;
    }
    while (wants_connection()) nursery_.spawn(run_link());
    if (retired_ || health_.is_paused()) continue;
    auto woken = co_await changed_.wait({next_chance(), nullptr});
    if (woken == io::Woken::timeout) wake();  // the connections that wait for it
  }
  co_await nursery_.drained({});
}

void Lane::probe_now() {
  probe_now_ = true;
  wake();
}

// Idle connections wake up and leave with QUIT: a smarthost that logs what is lost has nothing to say of
// them.
void Lane::retire() {
  retired_ = true;
  for (const LinkPtr& link : links_)
    if (link->opening) link->cancel.request();
  wake();
}

void Lane::stop() {
  retire();
  for (const LinkPtr& link : links_) link->cancel.request();
}

// As work waits, up to the limit, and never more than double in a round trip: no more may wait for their
// greeting than have had it.
bool Lane::wants_connection() const {
  if (retired_ || health_.is_paused() || links_.size() >= health_.limit(loop_.now())) return false;
  auto coming = static_cast<std::size_t>(
      std::ranges::count_if(links_, [](const LinkPtr& l) { return l->is_before_greeting; }));
  auto idle =
      static_cast<std::size_t>(std::ranges::count_if(links_, [](const LinkPtr& l) { return !l->busy; }));
  return takeable() > idle && coming < std::max<std::size_t>(1, links_.size() - coming);
}

// One connection at growing intervals; the others of this lane end by themselves. It is over when that
// connection is, or has become an ordinary one because the smarthost is well again.
Task<void> Lane::probe() {
  while (!retired_ && !probe_now_ && health_.is_paused() && loop_.now() < next_probe())
    co_await changed_.wait({next_probe(), nullptr});
  probe_now_ = false;
  if (retired_ || !health_.is_paused()) co_return;
  probing_ = true;
  nursery_.spawn(run_link());
  while (probing_) co_await changed_.wait({});
}

void Lane::learn(const TransactionResult& result, mail::MailId id) {
  bool in_order = true;
  auto weigh = [&](const Refusal& refusal) {
    in_order = in_order && refusal.verdict.action != Action::abort_attempt &&
               refusal.verdict.action != Action::pause_lane;
    learn(refusal, id);
  };
  for (const RecipientOutcome& outcome : result.recipients)
    if (outcome.refusal) weigh(*outcome.refusal);
  if (result.rest) weigh(*result.rest);
  if (result.final_reply)
    tell(health_.delivered());
  else if (in_order)
    tell(health_.settled(id));
}

void Lane::learn(const Refusal& refusal, std::optional<mail::MailId> id) {
  if (refusal.verdict.slow_down || refusal.failure.kind == mail::FailureKind::refused)
    health_.slow_down(loop_.now());
  bool concerns_us = refusal.failure.kind != mail::FailureKind::source_damaged;
  switch (refusal.verdict.action) {
    case Action::pause_lane: return tell(health_.refused(refusal.failure, loop_.now(), id));
    case Action::defer_unproven: return tell(health_.suspected(refusal.failure));
    case Action::abort_attempt:
      if (id && concerns_us) tell(health_.aborted(refusal.failure, loop_.now(), *id));
      return;
    default: return;
  }
}

void Lane::tell(bool changed) {
  if (!health_.is_paused()) probing_ = false;  // the probe has become an ordinary connection
  if (changed) work_.lane_changed(*this);
  wake();
}

}  // namespace hikyaku::smtpc
