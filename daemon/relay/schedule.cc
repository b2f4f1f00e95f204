// SPDX-License-Identifier: MIT
#include "daemon/relay/schedule.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace hikyaku::relay {
namespace {

constexpr std::size_t kPortion = 2000;  // about a millisecond's work
// Less than that, since any user may ask for a search, again and again.
constexpr std::size_t kSearched = 500;

}  // namespace

void Schedule::release_all() {
  retries_all_ = !searched_.empty();
  retried_next_.clear();
  if (!waiting_.empty()) released_.push_back(std::exchange(waiting_, {}));
}

void Schedule::retry(const std::vector<mail::MailId>& ids) {
  retried_next_.insert(ids.begin(), ids.end());
  begin_search();
}

void Schedule::begin_search() {
  if (!searched_.empty() || retried_next_.empty()) return;
  retried_ = std::exchange(retried_next_, {});
  retries_all_ = false;
  searched_ = waiting_.take();
}

// Returns whether the mail has become due.
bool Schedule::search_one(Instant now) {
  Appointment appointment = searched_.back();
  searched_.pop_back();
  bool is_due = retries_all_ || appointment.when <= now || retried_.contains(appointment.entry.id);
  if (is_due)
    due_.push_back(appointment.entry);
  else
    waiting_.push(appointment);
  if (searched_.empty()) begin_search();
  return is_due;
}

bool Schedule::release(Instant now) {
  std::size_t moved = 0;
  auto move_top = [&](Queue& queue) {
    due_.push_back(queue.top().entry);
    queue.pop();
    ++moved;
  };
  while (moved < kPortion && !released_.empty()) {
    move_top(released_.front());
    if (released_.front().empty()) released_.pop_front();
  }
  while (moved < kPortion && !waiting_.empty() && waiting_.top().when <= now) move_top(waiting_);
  bool any_retried = false;
  for (std::size_t i = 0; i < kSearched && !searched_.empty(); ++i) any_retried |= search_one(now);
  return moved > 0 || any_retried;
}

Instant Schedule::next_release() const {
  if (!released_.empty() || !searched_.empty()) return Instant::min();
  return waiting_.empty() ? kNever : waiting_.top().when;
}

std::size_t Schedule::size() const {
  std::size_t size = due_.size() + waiting();
  for (const Queue& queue : released_) size += queue.size();
  return size;
}

// An index into due_, or its size if there is none. Each step passes over another mail of `avoid`, which
// bounds the number of steps.
std::size_t Schedule::place_of_other(const std::vector<mail::MailId>& avoid, bool from_the_end) const {
  for (std::size_t i = 0; i < due_.size(); ++i) {
    const std::size_t place = from_the_end ? due_.size() - 1 - i : i;
    if (std::ranges::find(avoid, due_[place].id) == avoid.end()) return place;
  }
  return due_.size();
}

bool Schedule::has_other(const std::vector<mail::MailId>& avoid) const {
  return place_of_other(avoid, false) < due_.size();
}

std::optional<Schedule::Entry> Schedule::pop(const std::vector<mail::MailId>& avoid, bool from_the_end) {
  if (due_.empty()) return std::nullopt;
  auto found = due_.begin() + static_cast<std::ptrdiff_t>(place_of_other(avoid, from_the_end));
  if (found == due_.end()) found = std::ranges::max_element(due_, {}, &Entry::id);
  Entry entry = *found;
  due_.erase(found);
  return entry;
}

std::optional<Schedule::Entry> Schedule::first_due() const {
  if (due_.empty()) return std::nullopt;
  return due_.front();
}

}  // namespace hikyaku::relay
