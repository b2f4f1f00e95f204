// SPDX-License-Identifier: MIT
// What is queued and not under way, in two lists: due now, and waiting for its time. Knows ids and times
// only, 24 bytes a mail, because there may be a million; no step takes time proportional to their number.
// What becomes due moves over in portions, so that the loop serves others meanwhile. The loop's thread.
#pragma once

#include <deque>
#include <optional>
#include <queue>
#include <unordered_set>
#include <utility>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/mail/mail_id.h"

namespace hikyaku::relay {

class Schedule {
 public:
  // `since` is the route's time when the waiting time in the mail's newest record was true.
  struct Entry {
    mail::MailId id;
    Duration since{0};
  };

  void add_due(Entry entry) { due_.push_back(entry); }
  void add_due_first(Entry entry) { due_.push_front(entry); }
  void postpone(Entry entry, Instant until) { waiting_.push({until, entry}); }
  // All mail that waits now becomes due, by the next calls of release().
  void release_all();
  // Those of `ids` that wait now become due, by the next calls of release() too: each call searches a portion
  // of what waits. Ids that come during a search share the next one.
  void retry(const std::vector<mail::MailId>& ids);
  // Moves what has become due, at most one portion of it. Returns whether there was any.
  bool release(Instant now);
  // When release() is to be called next: in the past if the last call left something behind, kNever if
  // no mail waits.
  Instant next_release() const;

  // Takes the first mail that is due, or the last, and that is not in `avoid`; if all are in `avoid`, the
  // newest. The time depends on the length of `avoid` only.
  std::optional<Entry> pop(const std::vector<mail::MailId>& avoid = {}, bool from_the_end = false);
  // Whether a mail is due that is not in `avoid`.
  bool has_other(const std::vector<mail::MailId>& avoid) const;

  std::size_t size() const;
  std::size_t due() const { return due_.size(); }
  std::size_t waiting() const { return waiting_.size() + searched_.size(); }  // for a time that has not come
  std::optional<Entry> first_due() const;

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
  };
  using Ids = std::unordered_set<mail::MailId>;

  std::size_t place_of_other(const std::vector<mail::MailId>& avoid, bool from_the_end) const;
  bool search_one(Instant now);
  void begin_search();

  std::deque<Entry> due_;
  std::deque<Queue> released_;  // what waited at a call of release_all(): due, but not moved yet
  Queue waiting_;
  std::deque<Appointment> searched_;  // taken from waiting_, to be searched for …
  Ids retried_;                       // … these,
  bool retries_all_ = false;          // … or any
  Ids retried_next_;                  // asked for since: for the next search
};

}  // namespace hikyaku::relay
