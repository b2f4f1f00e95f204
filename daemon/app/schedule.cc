// SPDX-License-Identifier: MIT
#include "daemon/app/schedule.h"

#include <algorithm>
#include <utility>

namespace hikyaku::app {
namespace {

constexpr std::size_t kPortion = 2000;  // about a millisecond's work

}  // namespace

void Schedule::release_all() {
  if (!waiting_.empty()) released_.push_back(std::exchange(waiting_, {}));
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
  return moved > 0;
}

Instant Schedule::next_release() const {
  if (!released_.empty()) return Instant::min();
  return waiting_.empty() ? kNever : waiting_.top().when;
}

std::size_t Schedule::size() const {
  std::size_t size = due_.size() + waiting_.size();
  for (const Queue& queue : released_) size += queue.size();
  return size;
}

std::optional<Schedule::Entry> Schedule::pop(const std::vector<mail::MailId>& avoid) {
  if (due_.empty()) return std::nullopt;
  auto is_welcome = [&](const Entry& entry) { return std::ranges::find(avoid, entry.id) == avoid.end(); };
  auto found = avoid.empty() ? due_.begin() : std::ranges::find_if(due_, is_welcome);
  if (found == due_.end()) found = due_.begin();
  Entry entry = *found;
  due_.erase(found);
  return entry;
}

std::optional<Schedule::Entry> Schedule::first_due() const {
  if (due_.empty()) return std::nullopt;
  return due_.front();
}

}  // namespace hikyaku::app
