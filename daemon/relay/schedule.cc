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

void Schedule::release_changed(const std::function<void(Entry&)>& change) {
  release_all();
  for (Queue& queue : released_)
    for (Appointment& appointment : queue.all()) change(appointment.entry);
  for (Appointment& appointment : searched_) change(appointment.entry);
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

void Schedule::search_one(Instant now, std::vector<Entry>& due) {
  Appointment appointment = searched_.back();
  searched_.pop_back();
  if (retries_all_ || appointment.when <= now || retried_.contains(appointment.entry.id))
    due.push_back(appointment.entry);
  else
    waiting_.push(appointment);
  if (searched_.empty()) begin_search();
}

std::vector<Entry> Schedule::release(Instant now) {
  std::vector<Entry> due;
  auto move_top = [&](Queue& queue) {
    due.push_back(queue.top().entry);
    queue.pop();
  };
  while (due.size() < kPortion && !released_.empty()) {
    move_top(released_.front());
    if (released_.front().empty()) released_.pop_front();
  }
  while (due.size() < kPortion && !waiting_.empty() && waiting_.top().when <= now) move_top(waiting_);
  for (std::size_t i = 0; i < kSearched && !searched_.empty(); ++i) search_one(now, due);
  return due;
}

Instant Schedule::next_release() const {
  if (!released_.empty() || !searched_.empty()) return Instant::min();
  return waiting_.empty() ? kNever : waiting_.top().when;
}

std::size_t Schedule::size() const {
  std::size_t size = waiting();
  for (const Queue& queue : released_) size += queue.size();
  return size;
}

// An index, or the size if there is none. Each step passes over another mail of `avoid`, which bounds the
// number of steps.
std::size_t DueList::place_of_other(const std::vector<mail::MailId>& avoid, bool from_the_end) const {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const std::size_t place = from_the_end ? entries_.size() - 1 - i : i;
    if (std::ranges::find(avoid, entries_[place].id) == avoid.end()) return place;
  }
  return entries_.size();
}

bool DueList::has_other(const std::vector<mail::MailId>& avoid) const {
  return place_of_other(avoid, false) < entries_.size();
}

std::optional<Entry> DueList::pop(const std::vector<mail::MailId>& avoid, bool from_the_end) {
  if (entries_.empty()) return std::nullopt;
  auto found = entries_.begin() + static_cast<std::ptrdiff_t>(place_of_other(avoid, from_the_end));
  if (found == entries_.end()) found = std::ranges::max_element(entries_, {}, &Entry::id);
  Entry entry = *found;
  entries_.erase(found);
  return entry;
}

std::optional<Entry> DueList::first() const {
  if (entries_.empty()) return std::nullopt;
  return entries_.front();
}

}  // namespace hikyaku::relay
