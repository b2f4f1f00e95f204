// SPDX-License-Identifier: MIT
#include "daemon/pickup/pickup.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/io/work.h"

namespace hikyaku::pickup {
namespace {

constexpr std::size_t kAtOnce = 8;  // they share a flush
// The most names that are logged, so that a full directory fills neither log nor memory.
constexpr std::size_t kMostTold = 1000;
constexpr Duration kRescan = 1min;         // a watch may miss something
constexpr Duration kRescanUnwatched = 1s;  // or while there is reason to look
constexpr Duration kBreath = 10ms;         // between two looks, however many come
constexpr Duration kLongestBackoff = 1min;
constexpr int kMostDoublings = 6;

}  // namespace

Pickup::Pickup(PickupParts parts, DropDirectory directory, PickupOptions options)
    : parts_(parts),
      directory_(std::move(directory)),
      options_(std::move(options)),
      last_sweep_(parts.loop.now()),
      ended_(parts.loop),
      nursery_(parts.loop) {}

Task<void> Pickup::run() {
  auto watch = io::DirectoryWatch::start(parts_.loop, directory_.path(), [](std::string_view name) {
    return mail::is_drop_name(name) || is_draft_name(name);
  });
  if (!watch) parts_.log.warning(cat(watch.error().text, "; drops are looked for every second instead"));
  while (!stop_.soft.is_requested()) {
    co_await sweep();
    co_await wait_for_more(watch ? watch->get() : nullptr);
  }
  co_await nursery_.drained({});
}

Task<void> Pickup::stop(Duration grace) {
  stop_.soft.request();
  const io::Woken woken = co_await nursery_.drained(parts_.loop.within(grace));
  stop_.hard.request();
  if (woken != io::Woken::ready) co_await nursery_.drained({});
}

Task<void> Pickup::sweep() {
  auto listing = co_await io::run_on_pool(parts_.loop, [this] { return directory_.list(); });
  last_sweep_ = parts_.loop.now();
  note_unreadable(listing ? std::nullopt : std::optional(listing.error()));
  if (!listing) co_return;
  has_drafts_ = listing->has_drafts;
  forget_all_but(*listing);
  auto is_waiting = [this](const std::string& name) { return !busy_.contains(name); };
  counts_.waiting = static_cast<std::size_t>(std::ranges::count_if(listing->drops, is_waiting));
  for (const std::string& name : listing->others) tell_once(name, "its name is not one that sendmail gives");
  co_await begin_all(std::move(listing->drops));
}

// The directory is read again in a second; the first failure and the end are logged.
void Pickup::note_unreadable(const std::optional<DropError>& error) {
  const bool was_unreadable = std::exchange(is_unreadable_, error.has_value());
  if (error && !was_unreadable)
    parts_.log.error(cat("mail from sendmail waits: the drop directory cannot be read: ", error->text));
  if (!error && was_unreadable) parts_.log.info("the drop directory can be read again");
}

// A spool that accepts nothing would refuse each drop, with a line in the log each.
Task<void> Pickup::begin_all(std::vector<std::string> names) {
  for (const std::string& name : names) {
    while (nursery_.size() >= kAtOnce) {
      const io::Woken woken = co_await ended_.wait({kNever, &stop_.soft});
      if (woken != io::Woken::ready) co_return;
    }
    if (is_paused_) co_return;
    if (!may_begin(name)) continue;
    if (!spool_accepts() || stop_.soft.is_requested()) co_return;
    busy_.insert(name);
    counts_.waiting -= std::min<std::size_t>(counts_.waiting, 1);  // its name may be older than its end
    nursery_.spawn(pick_up(name));
  }
}

bool Pickup::spool_accepts() {
  auto room = parts_.sink.may_accept(0);
  if (!room && !spool_refuses_)
    parts_.log.warning(cat("mail from sendmail waits: the spool accepts no mail now: ", room.error().text));
  spool_refuses_ = !room;
  return room.has_value();
}

Task<void> Pickup::wait_for_more(io::DirectoryWatch* watch) {
  const io::Until breath{last_sweep_ + kBreath, &stop_.soft};
  const io::Until until{next_look(watch != nullptr), &stop_.soft};
  if (watch == nullptr) {
    co_await io::sleep_until(parts_.loop, until);
    co_return;
  }
  co_await watch->changed(until);
  co_await io::sleep_until(parts_.loop, breath);
}

Instant Pickup::next_look(bool is_watched) const {
  const Instant now = parts_.loop.now();
  const bool is_calm = is_watched && !is_paused_ && !spool_refuses_ && !is_unreadable_ && !has_drafts_;
  Instant next = now + (is_calm ? kRescan : kRescanUnwatched);
  for (const auto& [name, backoff] : waiting_) next = std::min(next, std::max(backoff.due, now + kBreath));
  return next;
}

bool Pickup::may_begin(const std::string& name) const {
  auto found = waiting_.find(name);
  return !busy_.contains(name) && (found == waiting_.end() || found->second.due <= parts_.loop.now());
}

void Pickup::forget_all_but(const DropDirectory::Listing& listing) {
  auto is_gone = [&listing](const std::string& name) {
    return !std::ranges::binary_search(listing.drops, name) &&
           !std::ranges::binary_search(listing.others, name);
  };
  std::erase_if(waiting_,
                [&](const auto& entry) { return is_gone(entry.first) && !busy_.contains(entry.first); });
  std::erase_if(told_, is_gone);
}

void Pickup::put_off(const std::string& name) {
  ++counts_.waiting;
  Backoff& backoff = waiting_[name];
  backoff.due = parts_.loop.now() +
                std::min<Duration>(kLongestBackoff, 1s * (1 << std::min(backoff.tries, kMostDoublings)));
  ++backoff.tries;
}

void Pickup::tell_once(const std::string& name, std::string_view why) {
  if (told_.size() >= kMostTold || !told_.insert(name).second) return;
  const bool was_last = told_.size() == kMostTold;
  parts_.log.warning(
      cat("a drop stays where it is: ", why, was_last ? "; further ones are not reported one by one" : ""),
      {{"drop", name}, {"directory", directory_.path()}});
}

}  // namespace hikyaku::pickup
