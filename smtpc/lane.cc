// SPDX-License-Identifier: MIT
#include "smtpc/lane.h"

#include <algorithm>
#include <utility>

#include "daemon/base/error.h"

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

// Whoever only says good-bye makes room for a probe; who is busy with a mail will tell more than the probe
// could.
bool Lane::has_room() {
  if (links_.size() < options_.smarthost.connections) return true;
  for (const LinkPtr& link : links_)
    if (!link->busy && !link->opening) link->cancel.request();
  return false;
}

void Lane::tell(bool changed) {
  if (!health_.is_paused()) probing_ = false;  // the probe has become an ordinary connection
  wait_for_rate();
  if (changed) work_.lane_changed(*this);
  wake();
}

}  // namespace hikyaku::smtpc
