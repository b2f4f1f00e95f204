// SPDX-License-Identifier: MIT
#include "daemon/relay/due_mail.h"

#include <algorithm>
#include <set>
#include <utility>

#include "daemon/mail/retry.h"

namespace hikyaku::relay {
namespace {

using mail::SourceErrorKind;

constexpr Duration kReadRetry = 1min;
constexpr Duration kBetweenPortions = 1ms;  // of what becomes due at once: the loop serves others meanwhile
constexpr Duration kNotInThisRound = 30 * 24h;
constexpr Duration kSweep = 30s;  // of lanes to destinations that have nothing to do

}  // namespace

DueMail::DueMail(io::Loop& loop, mail::MailSource& source, log::MailLog& log, Routes& routes,
                 io::Event& changed, OnOwed on_owed)
    : loop_(loop),
      source_(source),
      log_(log),
      routes_(routes),
      changed_(changed),
      on_owed_(std::move(on_owed)),
      nursery_(loop) {}

void DueMail::adopt(const std::vector<mail::QueueEntry>& entries, Duration downtime) {
  for (const mail::QueueEntry& found : entries) {
    Entry entry{.id = found.id, .since = routes_.table().time() - downtime};
    if (found.held) {
      hold(entry);
    } else if (found.next_wait > downtime) {
      postpone(entry, found.next_wait - downtime);
    } else {
      place(entry);
    }
  }
}

std::size_t DueMail::size() const {
  const std::size_t entries = schedule_.size() + routes_.table().due() + unsorted_.size() + sorting_;
  return entries + withheld_.kept() + damaged_ - withheld_.ghosts();
}

// What waits for its time comes out of the schedule soon, so that it is counted right.
void DueMail::hold(mail::MailId id) {
  withheld_.hold(id);
  retry({id});
  changed_.notify();
}

void DueMail::hold(Entry entry) {
  withheld_.hold(entry.id);
  withheld_.passes_over(entry);
}

void DueMail::release(mail::MailId id) {
  for (const Entry& entry : withheld_.release(id)) place(entry);
  retry({id});
  changed_.notify();
}

void DueMail::end(mail::MailId id) {
  withheld_.end(id, parts_.count(id));
  parts_.end_all(id);
  retry({id});
  changed_.notify();
}

void DueMail::leave_routes() {
  ++shape_;
  if (!knows_routes_) return;
  routes_.update_clocks();
  for (Entry entry : routes_.table().take_due()) unsorted_.push_back(entry);
  for (Entry& entry : unsorted_) routes_.table().leave(entry);
  schedule_.release_changed([this](Entry& entry) { routes_.table().leave(entry); });
}

void DueMail::enter_routes() {
  knows_routes_ = true;
  for (std::size_t left = unsorted_.size(); left > 0; --left) {
    Entry entry = unsorted_.front();
    unsorted_.pop_front();
    place(entry);
  }
  release_due();
}

void DueMail::release_due() {
  for (const Entry& entry : schedule_.release(loop_.now())) place(entry);
}

Instant DueMail::next_look() const {
  const Instant now = loop_.now();
  const Instant soonest = std::max(schedule_.next_release(), now + kBetweenPortions);
  const bool has_destinations = routes_.destinations().has_lanes();
  return std::min(soonest, now + (has_destinations ? kSweep : mail::kWaitStep));
}

void DueMail::begin_round() {
  is_in_round_ = true;
  release_all();
  changed_.notify();
}

void DueMail::end_round() {
  is_in_round_ = false;
  release_all();
  changed_.notify();
}

bool DueMail::is_settled() const {
  return unsorted_.empty() && sorting_ == 0 && schedule_.size() == schedule_.waiting();
}

Task<void> DueMail::stop() {
  is_stopping_ = true;
  co_await nursery_.drained({});
}

void DueMail::postpone(Entry entry, Duration wait) {
  Instant until = loop_.now() + (is_in_round_ ? kNotInThisRound : wait);
  bool is_first = until < schedule_.next_release();
  schedule_.postpone(entry, until);
  if (is_first) changed_.notify();
}

void DueMail::set_aside(Entry entry, const mail::SourceError& error) {
  if (withheld_.passes_over(entry)) return;
  if (error.kind == SourceErrorKind::unknown_mail) return parts_.end_all(entry.id);
  if (error.kind == SourceErrorKind::no_memory) return postpone(entry, kReadRetry);
  bool is_damaged = error.kind == SourceErrorKind::damaged;
  log_.error(is_damaged ? "a queued mail is damaged and will not be sent"
                        : "a queued mail cannot be read; it will be tried again",
             {{"id", to_text(entry.id)}, {"reason", error.text}});
  if (!is_damaged) return postpone(entry, kReadRetry);
  if (!parts_.end_one(entry.id)) ++damaged_;
}

// ---- onto the routes

void DueMail::place(Entry entry, bool first) {
  if (withheld_.passes_over(entry)) return;
  if (knows_routes_ && routes_.table().only() != nullptr) {
    routes_.table().enter(*routes_.table().only(), entry);
    return add_due(routes_.table().only(), entry, first);
  }
  if (first)
    unsorted_.push_front(entry);
  else
    unsorted_.push_back(entry);
  if (knows_routes_ && !std::exchange(is_sorting_, true)) nursery_.spawn(sort_mail());
}

void DueMail::add_due(const RoutePtr& route, Entry entry, bool first) {
  if (auto rest = routes_.furnish(route)) return postpone(entry, *rest);
  if (first)
    route->due().push_front(entry);
  else
    route->due().push_back(entry);
  route->wake();
  if (route->vacancy() != nullptr) changed_.notify();  // a lane that has nothing to do gives way
}

Task<void> DueMail::sort_mail() {
  while (!unsorted_.empty() && !is_stopping_) {
    Entry entry = unsorted_.front();
    unsorted_.pop_front();
    ++sorting_;
    co_await sort(entry);
    --sorting_;
  }
  is_sorting_ = false;
}

// Looks at sender and recipients to see which way they take.
Task<void> DueMail::sort(Entry entry) {
  const std::uint64_t shape = shape_;
  Result<mail::QueuedMail, mail::SourceError> mail;
  auto room = co_await source_.make_room(entry.id, mail::Patience::some);
  if (room)
    mail = co_await source_.load(entry.id);
  else
    mail = std::unexpected(room.error());
  if (shape != shape_) entry.part = 0;
  if (mail)
    divide(std::move(*mail), entry);
  else
    set_aside(entry, mail.error());
}

void DueMail::divide(mail::QueuedMail mail, Entry entry) {
  if (withheld_.passes_over(entry)) return;
  std::set<RoutePtr> routes;
  for (std::size_t i = 0; i < mail.progress.recipients.size(); ++i) {
    if (!mail.progress.is_pending(i)) continue;
    RoutePtr route = routes_.table().find(mail.envelope.sender, mail.envelope.recipients[i].address);
    if (entry.part == 0 || entry.part == route->part()) routes.insert(std::move(route));
  }
  if (mail.progress.owes_notice() && mail.progress.is_settled()) return on_owed_(std::move(mail), entry);
  if (mail.progress.is_settled())
    return set_aside(entry, {SourceErrorKind::damaged, "the mail is queued without a pending recipient"});
  const bool is_for_all = entry.part == 0;  // the last such part finds the way for all
  if ((is_for_all || routes.empty()) && parts_.end_one(entry.id)) return;
  if (routes.empty()) {  // its recipients take another way now
    routes_.table().leave(entry);
    return place(entry);
  }
  parts_.divide(entry.id, routes.size());
  for (const RoutePtr& route : routes) {
    Entry part = entry;
    if (!part.is_absolute) part.since -= mail.progress.waited;
    part.is_absolute = true;
    routes_.table().enter(*route, part);
    add_due(route, part);
  }
}

}  // namespace hikyaku::relay
