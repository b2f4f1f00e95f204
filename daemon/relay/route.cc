// SPDX-License-Identifier: MIT
#include "daemon/relay/route.h"

#include <algorithm>
#include <utility>

#include "daemon/mail/diagnosis.h"
#include "daemon/mail/retry.h"

namespace hikyaku::relay {
namespace {

constexpr Duration kReminder = 24h;  // between two lines about a smarthost that stays paused

}  // namespace

void RouteClock::update(Instant now, bool is_up) {
  if (std::exchange(was_up_, is_up)) time_ += mail::counted_wait(seen_, now);
  seen_ = now;
}

Route::Route(io::Loop& loop, log::MailLog& log)
    : loop_(loop), log_(log), clock_(loop.now()), last_reminder_(loop.now()) {}

void Route::configure(Lanes lanes) {
  std::erase_if(retired_, [](const auto& lane) { return lane.expired(); });
  retire();
  retired_.insert(retired_.end(), lanes_.begin(), lanes_.end());
  lanes_ = std::move(lanes);
}

void Route::wake() {
  for (const auto& lane : lanes_) lane->wake();
}

void Route::probe_paused() {
  for (const auto& lane : lanes_)
    if (lane->health().is_paused()) lane->probe_now();
}

void Route::retire() {
  for (const auto& lane : lanes_) lane->retire();
}

void Route::stop() {
  for (const auto& lane : lanes_) lane->stop();
  for (const auto& lane : retired_)
    if (auto still_there = lane.lock()) still_there->stop();
}

// ---- whose turn it is

const smtpc::Lane* Route::first_up() const {
  auto first = std::ranges::find_if(lanes_, [](const auto& lane) { return !lane->health().is_paused(); });
  return first == lanes_.end() ? nullptr : first->get();
}

bool Route::is_turn_of(const smtpc::Lane& lane) const {
  if (lane.health().is_paused()) return lane.is_probing() && !lane.is_retired();
  return first_up() == &lane;
}

// A rate that is used up for long is like a pause: nobody could be refused meanwhile.
bool Route::is_up() const {
  const smtpc::Lane* first = first_up();
  return lanes_.empty() || (first != nullptr && first->next_permitted() <= loop_.now() + mail::kWaitStep);
}

std::string Route::host_of(const std::string& smarthost) const {
  auto lane = std::ranges::find(lanes_, smarthost, [](const auto& each) { return each->name(); });
  return lane == lanes_.end() ? "" : (*lane)->smarthost().host;
}

// ---- the log

void Route::note_change(const smtpc::Lane& lane, const Backlog& backlog) {
  log_state(lane, backlog);
  wake();
}

void Route::remind(const Backlog& backlog) {
  if (loop_.now() - last_reminder_ < kReminder) return;
  last_reminder_ = loop_.now();
  for (const auto& lane : lanes_)
    if (lane->health().is_paused()) log_state(*lane, backlog);
}

// A suspicion: the smarthost takes mail, but has refused some that it would hardly have refused from the
// right account.
void Route::log_state(const smtpc::Lane& lane, const Backlog& backlog) {
  const smtpc::Health& health = lane.health();
  if (!health.is_paused() && health.suspicion())
    log_.warning(mail::diagnose(*health.suspicion()), {{"smarthost", lane.name()}});
  else
    log_.smarthost(smarthost_line(lane, backlog, loop_.now()));
}

}  // namespace hikyaku::relay
