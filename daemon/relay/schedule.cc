// SPDX-License-Identifier: MIT
#include "daemon/relay/schedule.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace hikyaku::relay {
namespace {

constexpr std::size_t kPortion = 2000;  // about a millisecond's work
// Less of what may be asked for by anybody, again and again.
constexpr std::size_t kSifted = 500;

}  // namespace

void Schedule::release_all() {
  hurries_all_ = !sifted_.empty();
  hurried_next_.clear();
  if (!waiting_.empty()) released_.push_back(std::exchange(waiting_, {}));
}

void Schedule::hurry(const std::vector<mail::MailId>& ids) {
  hurried_next_.insert(ids.begin(), ids.end());
  begin_to_sift();
}

void Schedule::begin_to_sift() {
  if (!sifted_.empty() || hurried_next_.empty()) return;
  hurried_ = std::exchange(hurried_next_, {});
  hurries_all_ = false;
  sifted_ = waiting_.take();
}

// Whether it has become due.
bool Schedule::sift_one(Instant now) {
  Appointment appointment = sifted_.back();
  sifted_.pop_back();
  bool is_due = hurries_all_ || appointment.when <= now || hurried_.contains(appointment.entry.id);
  if (is_due)
    due_.push_back(appointment.entry);
  else
    waiting_.push(appointment);
  if (sifted_.empty()) begin_to_sift();
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
  bool any_hurried = false;
  for (std::size_t i = 0; i < kSifted && !sifted_.empty(); ++i) any_hurried |= sift_one(now);
  return moved > 0 || any_hurried;
}

Instant Schedule::next_release() const {
  if (!released_.empty() || !sifted_.empty()) return Instant::min();
  return waiting_.empty() ? kNever : waiting_.top().when;
}

std::size_t Schedule::size() const {
  std::size_t size = due_.size() + waiting();
  for (const Queue& queue : released_) size += queue.size();
  return size;
}

// Where in due_; its size: nowhere. Each step passes over another of `avoid`, so there are no more than that.
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
