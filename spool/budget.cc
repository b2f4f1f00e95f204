// SPDX-License-Identifier: MIT
#include "spool/budget.h"

#include <algorithm>

#include "daemon/base/check.h"

namespace hikyaku::spool {

bool Reservation::grow_to(std::uint64_t bytes) {
  if (bytes <= bytes_) return true;
  bool granted = budget_ != nullptr && budget_->waiting_.empty() && budget_->take(bytes - bytes_);
  if (granted) bytes_ = bytes;
  return granted;
}

void Reservation::shrink_to(std::uint64_t bytes) {
  if (bytes >= bytes_) return;
  budget_->give_back(bytes_ - bytes);
  bytes_ = bytes;
}

Task<Reservation> MemoryBudget::reserve(std::uint64_t bytes) {
  bytes = std::min(bytes, limit_);
  if (!waiting_.empty() || !take(bytes)) {
    io::Waiter turn(loop_);
    waiting_.push_back(&turn);
    do {
      io::Woken woken = co_await turn.park({});
      check(woken == io::Woken::ready, "a reservation has no deadline");
    } while (waiting_.front() != &turn || !take(bytes));
    waiting_.pop_front();
    if (!waiting_.empty()) waiting_.front()->wake();  // there may be room for two
  }
  co_return Reservation(*this, bytes);
}

bool MemoryBudget::take(std::uint64_t bytes) {
  while (used_ + bytes > limit_ && evict_()) {
  }
  if (used_ + bytes > limit_) return false;
  used_ += bytes;
  return true;
}

void MemoryBudget::give_back(std::uint64_t bytes) {
  used_ -= bytes;
  reconsider();
}

void MemoryBudget::reconsider() {
  if (!waiting_.empty()) waiting_.front()->wake();
}

}  // namespace hikyaku::spool
