// SPDX-License-Identifier: MIT
// What is queued and not under way: due on a route, or waiting for its time. Knows ids and times only, because
// there may be a million; no step takes time proportional to their number. What becomes due is released in
// portions, so that the loop serves others meanwhile. The loop's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <queue>
#include <unordered_set>
#include <utility>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/mail/mail_id.h"

namespace hikyaku::relay {

// A mail, or those of its recipients that take one route: a part.
struct Entry {
  mail::MailId id;
  // A time of the route's clock, or of all routes' where part is 0: when nothing of the waiting had counted
  // yet; or, of a mail that this run has not loaded so far, when the waiting time in its newest record was
  // true.
  Duration since{0};
  std::uint32_t part = 0;  // Route::part(); 0: all recipients that are pending
  bool is_absolute = false;
};

// What is due on a route, the mail that became due first at the front.
class DueList {
 public:
  void push_back(Entry entry) { entries_.push_back(entry); }
  void push_front(Entry entry) { entries_.push_front(entry); }
  // Takes the first mail, or the last, that is not in `avoid`; if all are in `avoid`, the newest. The time
  // depends on the length of `avoid` only.
  std::optional<Entry> pop(const std::vector<mail::MailId>& avoid = {}, bool from_the_end = false);
  // Whether there is a mail that is not in `avoid`.
  bool has_other(const std::vector<mail::MailId>& avoid) const;
  std::optional<Entry> first() const;
  std::size_t size() const { return entries_.size(); }
  bool is_empty() const { return entries_.empty(); }
  std::deque<Entry> take_all() { return std::exchange(entries_, {}); }

 private:
  std::size_t place_of_other(const std::vector<mail::MailId>& avoid, bool from_the_end) const;

  std::deque<Entry> entries_;
};

class Schedule {
 public:
  void postpone(Entry entry, Instant until) { waiting_.push({until, entry}); }
  // All mail that waits now becomes due, by the next calls of release().
  void release_all();
  // Those of `ids` that wait now become due, by the next calls of release() too: each call searches a portion
  // of what waits. Ids that come during a search share the next one.
  void retry(const std::vector<mail::MailId>& ids);
  // Takes what has become due, at most one portion of it.
  std::vector<Entry> release(Instant now);
  // When release() is to be called next: in the past if the last call left something behind, kNever if
  // no mail waits.
  Instant next_release() const;
  // All that there is becomes due, changed by `change`: for routes that are others now. Takes time
  // proportional to its number.
  void release_changed(const std::function<void(Entry&)>& change);

  std::size_t size() const;  // due, too, but not released yet
  std::size_t waiting() const { return waiting_.size() + searched_.size(); }  // for a time that has not come

 private:
  struct Appointment {
    Instant when;
    Entry entry;
    // The earliest is the top of the queue.
    bool operator<(const Appointment& other) const { return when > other.when; }
  };
  // A deque grows without moving, and so without holding everything twice for a moment.
  struct Queue : std::priority_queue<Appointment, std::deque<Appointment>> {
    std::deque<Appointment> take() { return std::exchange(c, {}); }  // in no order
    std::deque<Appointment>& all() { return c; }
  };
  using Ids = std::unordered_set<mail::MailId>;

  void search_one(Instant now, std::vector<Entry>& due);
  void begin_search();

  std::deque<Queue> released_;  // what waited at a call of release_all(): due, but not moved yet
  Queue waiting_;
  std::deque<Appointment> searched_;  // taken from waiting_, to be searched for …
  Ids retried_;                       // … these,
  bool retries_all_ = false;          // … or any
  Ids retried_next_;                  // asked for since: for the next search
};

}  // namespace hikyaku::relay
