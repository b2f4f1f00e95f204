// SPDX-License-Identifier: MIT
// One budget of memory for bodies in transit, in both directions, and for the cache. Who needs memory for a
// body reserves it first; when there is none, the cache gives way, and then the asker waits its turn. Nobody
// who holds a reservation ever waits for more (it spills to disk instead), so nobody waits for ever. Loop
// thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <utility>

#include "daemon/io/loop.h"

namespace hikyaku::spool {

class MemoryBudget;

// A share of the budget; gives it back when it goes.
class Reservation {
 public:
  Reservation() = default;
  Reservation(Reservation&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Reservation& operator=(Reservation&& other) noexcept {
    std::swap(budget_, other.budget_), std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Reservation() { shrink_to(0); }

  std::uint64_t bytes() const { return bytes_; }
  // Does not suspend; false leaves it as it was.
  bool grow_to(std::uint64_t bytes);
  void shrink_to(std::uint64_t bytes);

 private:
  friend class MemoryBudget;
  Reservation(MemoryBudget& budget, std::uint64_t bytes) : budget_(&budget), bytes_(bytes) {}
  MemoryBudget* budget_ = nullptr;
  std::uint64_t bytes_ = 0;
};

class MemoryBudget {
 public:
  // `evict` frees some memory that is only kept for convenience; false: there is none left.
  MemoryBudget(io::Loop& loop, std::uint64_t limit, std::function<bool()> evict)
      : loop_(loop), limit_(limit), evict_(std::move(evict)) {}

  // Waits its turn. More than the whole budget counts as the whole budget.
  Task<Reservation> reserve(std::uint64_t bytes);
  // There is something more to evict: whoever waits looks again.
  void reconsider();
  std::uint64_t used() const { return used_; }

 private:
  friend class Reservation;
  bool take(std::uint64_t bytes);
  void give_back(std::uint64_t bytes);

  io::Loop& loop_;
  std::uint64_t limit_;
  std::function<bool()> evict_;
  std::uint64_t used_ = 0;
  std::deque<io::Waiter*> waiting_;
};

}  // namespace hikyaku::spool
