// SPDX-License-Identifier: MIT
#include "smtpc/lane.h"

#include <algorithm>
#include <utility>

#include "daemon/base/error.h"
#include "daemon/base/text.h"
#include "smtpc/lane_link.h"

namespace hikyaku::smtpc {
namespace {

// A connection is kept for mail that may be sent so soon: a log-in for each costs more, and providers count
// them.
constexpr Duration kKeepForRate = 1min;

// The recipients that were refused in a way that may concern all mail.
std::vector<std::string> refused_so(const TransactionResult& result, const Job& job) {
  constexpr std::size_t kMost = 16;  // enough to tell mails apart
  std::vector<std::string> whom;
  for (std::size_t i = 0; i < job.recipients.size() && whom.size() < kMost; ++i) {
    const Refusal* refusal = result.refusal_of(job.recipients[i]);
    if (refusal != nullptr && refusal->verdict.action == Action::weigh_evidence)
      whom.push_back(to_lower(job.mail.envelope.recipients[job.recipients[i]].address));
  }
  return whom;
}

// Treats the refusal as one of this mail: a 5yz is final, a 4yz temporary.
void take_for_its_own(Refusal& refusal) {
  const bool is_final = refusal.failure.reply && refusal.failure.reply->is_permanent();
  const bool is_of_one = refusal.failure.concerns == mail::Concerns::recipient;
  if (is_of_one)
    refusal.verdict.action = is_final ? Action::fail_recipient : Action::defer_recipient;
  else
    refusal.verdict.action = is_final ? Action::fail_message : Action::defer_message;
  refusal.verdict.kind = refusal.failure.kind =
      is_of_one ? mail::FailureKind::recipient_refused : mail::FailureKind::message_refused;
  refusal.failure.is_evidence = false;
}

}  // namespace

Lane::Lane(io::Loop& loop, Connector& connector, LaneWork& work, LaneObserver& observer, LaneOptions options,
           Jitter jitter)
    : loop_(loop),
      connector_(connector),
      work_(work),
      observer_(observer),
      options_(std::move(options)),
      health_(options_.smarthost.connections, options_.proven, std::move(jitter)),
      changed_(loop),
      nursery_(loop) {}

Lane::~Lane() { check(links_.empty(), "a lane was destroyed with open connections"); }

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

void Lane::share(unsigned nodes, bool is_proven) {
  health_.set_most(std::max(1U, options_.smarthost.connections / std::max(1U, nodes)));
  if (is_proven) health_.set_proven();
  wake();
}

// Idle connections wake up and end with QUIT, so that the smarthost logs no lost connection.
void Lane::retire() {
  retired_ = true;
  for (LaneLink* link : links_)
    if (link->is_opening()) link->cancel();
  wake();
}

void Lane::stop() {
  retire();
  for (LaneLink* link : links_) link->cancel();
}

std::size_t Lane::busy() const {
  return static_cast<std::size_t>(std::ranges::count_if(links_, &LaneLink::is_busy));
}

// As work waits, up to the limit, and never more than double in a round trip: no more links may wait for
// their greeting than have had it.
bool Lane::wants_connection() const {
  if (retired_ || health_.is_paused() || links_.size() >= health_.limit(loop_.now())) return false;
  auto coming = static_cast<std::size_t>(std::ranges::count_if(links_, &LaneLink::is_before_greeting));
  auto idle = links_.size() - static_cast<std::size_t>(std::ranges::count_if(links_, &LaneLink::is_busy));
  return takeable() > idle && coming < std::max<std::size_t>(1, links_.size() - coming);
}

// One connection at growing intervals; the others of this lane end by themselves. It is over when that
// connection is, or has become an ordinary one because the smarthost is well again.
Task<void> Lane::probe() {
  while (!retired_ && !probe_now_ && health_.is_paused() && loop_.now() < next_probe())
    co_await changed_.wait({next_probe(), nullptr});
  if (retired_ || !health_.is_paused()) co_return;
  if (!probe_now_ && wait_for_rate()) co_return tell(true);
  if (!has_room()) co_await changed_.wait({});
  if (!has_room() || !health_.is_paused()) co_return;
  probe_now_ = false;
  probing_ = true;
  probe_round_ = health_.round();
  nursery_.spawn(run_link());
  while (probing_) co_await changed_.wait({});
}

Task<void> Lane::run_link() {
  LaneLink link(*this, probing_, health_.round());
  links_.push_back(&link);
  co_await link.run();
  links_.remove(&link);
  if (link.probes() && link.round() == probe_round_) probing_ = false;
  health_.ended(link.round(), loop_.now());
  wake();
}

// A link that only says QUIT makes room for a probe; one that is busy with a mail will show more than the
// probe could.
bool Lane::has_room() {
  if (links_.size() < health_.most()) return true;
  for (LaneLink* link : links_)
    if (!link->is_busy() && !link->is_opening()) link->cancel();
  return false;
}

void Lane::tell(bool changed) {
  if (!health_.is_paused()) probing_ = false;  // the probe has become an ordinary connection
  wait_for_rate();
  if (changed) observer_.changed(*this);
  wake();
}

// Updates the health from a result.
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

// Weighs refusals that may concern this mail or all of ours, together with earlier ones. Called after
// learn(): recipients that were accepted count first, in favour of the smarthost.
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

// How much mail the rate permits now. Mail that waits for the rate is not touched; one timer, run()'s, wakes
// the lane when the next may be sent.
std::size_t Lane::takeable() const {
  const std::size_t waiting = work_.waiting(*this);
  return waiting == 0 ? 0 : std::min<std::uint64_t>(waiting, options_.rate->available(loop_.now()));
}

// When mail that only waits for the rate may be sent.
Instant Lane::next_chance() const {
  const Instant now = loop_.now();
  const Instant next = next_permitted(now);
  return next > now && work_.waiting(*this) > 0 ? next : kNever;
}

// Where only a mail can end the pause, a probe waits for the rate. Returns whether the next probe is later
// than the lane has reported.
bool Lane::wait_for_rate() {
  const Instant now = loop_.now();
  const Instant permitted = next_permitted(now);
  return permitted > now && health_.is_paused() && health_.pause()->only_a_mail_proves &&
         health_.postpone_probe(permitted);
}

Instant Lane::next_probe() const {
  const Pause& pause = *health_.pause();
  const Instant soonest = std::max(pause.next_for_fresh, next_permitted(loop_.now()));
  return soonest < pause.next_probe && work_.has_fresh(*this, pause.avoid) ? soonest : pause.next_probe;
}

void Lane::keep_for_next_chance(io::Until& until) const {
  const Instant chance = next_chance();
  if (chance <= loop_.now() + kKeepForRate) until.deadline = std::max(until.deadline, chance + options_.idle);
}

// The message counts first, because several connections may be here at once; its recipients, once they are known,
// may be too many for now.
Task<JobPtr> Lane::take(Preference preference) {
  const Instant now = loop_.now();
  if (!options_.rate->take(now)) co_return nullptr;
  auto job = co_await work_.take(*this, std::move(preference));
  const Instant counted = loop_.now();  // what is given back is found by this very time
  const bool fits = job && options_.rate->take_recipients(counted, job->recipients.size());
  if (!fits) options_.rate->give_back(now);
  if (options_.rate->available(loop_.now()) == 0) wake();  // run() has a time to wait for now
  if (job && !fits) work_.put_back(std::move(*job));
  if (!fits) co_return nullptr;
  job->taken = now;
  job->counted = counted;
  co_return std::make_unique<Job>(std::move(*job));
}

void Lane::put_back(JobPtr job) {
  options_.rate->give_back(job->taken);
  options_.rate->give_back_recipients(job->counted, job->recipients.size());
  work_.put_back(std::move(*job));
}

}  // namespace hikyaku::smtpc
