// SPDX-License-Identifier: MIT
// The lane's other half: what its rate lets it take, and when. Mail that waits for the rate is not touched;
// one timer, run()'s, wakes the lane when the next may go.
#include <algorithm>
#include <utility>

#include "smtpc/lane.h"

namespace hikyaku::smtpc {
namespace {

// A connection is kept for mail that may go so soon: a log-in for each costs more, and provokes.
constexpr Duration kKeepForRate = 1min;

}  // namespace

std::size_t Lane::takeable() const {
  const std::size_t waiting = work_.waiting(*this);
  return waiting == 0 ? 0 : std::min<std::uint64_t>(waiting, options_.rate->available(loop_.now()));
}

// When mail that waits for the rate alone may go.
Instant Lane::next_chance() const {
  const Instant next = next_permitted();
  return next > loop_.now() && work_.waiting(*this) > 0 ? next : kNever;
}

// A probe that must not send would prove nothing where only a mail can. Whether that is news: the lane
// promised to look earlier.
bool Lane::wait_for_rate() {
  const Instant permitted = next_permitted();
  return permitted > loop_.now() && health_.is_paused() && health_.pause()->only_a_mail_proves &&
         health_.postpone_probe(permitted);
}

Instant Lane::next_probe() const {
  const Pause& pause = *health_.pause();
  const Instant soonest = std::max(pause.next_for_fresh, next_permitted());
  return soonest < pause.next_probe && work_.has_fresh(*this, pause.avoid) ? soonest : pause.next_probe;
}

void Lane::keep_for_next_chance(io::Until& until) const {
  const Instant chance = next_chance();
  if (chance <= loop_.now() + kKeepForRate) until.deadline = std::max(until.deadline, chance + options_.idle);
}

// The rate comes first, because several connections may be here at once.
Task<Lane::JobPtr> Lane::take(Preference preference) {
  const Instant now = loop_.now();
  if (!options_.rate->take(now)) co_return nullptr;
  auto job = co_await work_.take(*this, std::move(preference));
  if (!job) options_.rate->give_back(now);
  if (options_.rate->available(loop_.now()) == 0) wake();  // run() has a time to wait for now
  if (!job) co_return nullptr;
  job->taken = now;
  co_return std::make_unique<Job>(std::move(*job));
}

void Lane::put_back(JobPtr job) {
  options_.rate->give_back(job->taken);
  work_.put_back(std::move(*job));
}

}  // namespace hikyaku::smtpc
