// SPDX-License-Identifier: MIT
// One budget of memory for bodies in transit, in both directions, for envelopes and for the cache. Memory is
// reserved before it is used, in one of the shares below. A share's guaranteed part cannot be taken by other
// shares, so a small message and a mail on its way out always get through. When the budget is used up, the
// cache is evicted first; then a holder that has not grown for a second is asked to give its memory back
// (Lender). Meanwhile a request waits its turn, up to its own time limit. Loop thread.
//
// There is no circular wait: a holder of memory in one share waits only for shares further down the list, and
// within a share no holder waits for more.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <utility>

#include "daemon/io/loop.h"

namespace hikyaku::spool {

enum class Share : std::uint8_t {
  envelopes,     // the first 2 KiB of each that a session puts together
  lists,         // what is beyond that, up to 100 recipients
  long_lists,    // the recipients beyond 100
  loaded,        // envelope and progress of a mail on its way out, up to 16 KiB
  loaded_lists,  // where they are larger
  readers,       // content on its way out
  small,         // bodies on their way in, up to 64 KiB of each
  large,         // bodies that are larger
  commits,       // envelopes a second time, and as records, while they are written to the log
  cache,         // what has just arrived; gives way to all others
};
inline constexpr std::size_t kShares = 10;

// How long a request waits; clients and smarthosts wait longer.
inline constexpr Duration kMemoryPatience = 20s;

class MemoryBudget;

// A part of the budget; the destructor gives it back.
class Reservation {
 public:
  Reservation() = default;  // may not grow
  // Empty at first.
  Reservation(MemoryBudget& budget, Share share) : budget_(&budget), share_(share) {}
  Reservation(Reservation&& other) noexcept
      : budget_(other.budget_), share_(other.share_), bytes_(std::exchange(other.bytes_, 0)) {}
  Reservation& operator=(Reservation&& other) noexcept {
    std::swap(budget_, other.budget_), std::swap(share_, other.share_), std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Reservation() { shrink_to(0); }

  // The bytes counted: never more than the share can have (MemoryBudget::most).
  std::uint64_t bytes() const { return bytes_; }
  Share share() const { return share_; }
  // These two do not suspend; on false the reservation is unchanged.
  bool grow_to(std::uint64_t bytes) { return bytes <= bytes_ || move_to(share_, bytes); }
  bool move_to(Share share, std::uint64_t bytes);
  void shrink_to(std::uint64_t bytes);

 private:
  friend class MemoryBudget;
  MemoryBudget* budget_ = nullptr;
  Share share_ = Share::small;
  std::uint64_t bytes_ = 0;
};

// A holder of memory that can release it at the cost of some work.
class Lender {
 public:
  Lender(const Lender&) = delete;

 protected:
  Lender(MemoryBudget& budget, Share share) : memory_(budget, share), budget_(budget) {}
  virtual ~Lender();
  // Grows the reservation, and with it the time for which nobody asks for it.
  bool borrow(Share share, std::uint64_t bytes);
  // The same with memory that was reserved elsewhere.
  void borrow(Reservation reservation);

  Reservation memory_;

 private:
  friend class MemoryBudget;
  // Others wait, and memory_ has not grown for a second. Does not suspend; shrinks memory_ soon.
  virtual void give_back() = 0;
  void enlist();

  MemoryBudget& budget_;
  std::optional<std::list<Lender*>::iterator> place_;  // in the budget's list, until it is asked
  Instant grown_;
};

class MemoryBudget {
 public:
  // `evict` frees some of the cache's memory; returns false if the cache is empty.
  MemoryBudget(io::Loop& loop, std::uint64_t limit, std::function<bool()> evict);

  // Waits its turn for at most `patience`, then returns nullopt; with a patience of 0 it does not suspend. A
  // request counts at most as the share's guaranteed part, so it waits only for others of that share.
  Task<std::optional<Reservation>> reserve(Share share, std::uint64_t bytes, Duration patience);
  // The cache has more to evict: waiting requests are looked at again.
  void reconsider();

  std::uint64_t used() const { return used_; }
  std::uint64_t used(Share share) const { return account(share).used; }
  // The most that a share can have while the others use no more than their guaranteed parts.
  std::uint64_t most(Share share) const { return account(share).most; }

 private:
  friend class Reservation;
  friend class Lender;
  using Queue = std::list<io::Waiter*>;
  struct Account {
    std::uint64_t guaranteed = 0;
    std::uint64_t most = 0;
    std::uint64_t used = 0;
    Queue waiting{};
    std::uint64_t claim(std::uint64_t with) const { return std::max(with, guaranteed); }
  };

  Account& account(Share share) { return accounts_[static_cast<std::size_t>(share)]; }
  const Account& account(Share share) const { return accounts_[static_cast<std::size_t>(share)]; }
  bool take(Share share, std::uint64_t bytes);
  void give_back(Share share, std::uint64_t bytes);
  void count(Account& account, std::uint64_t used);
  bool move(Reservation& reservation, Share share, std::uint64_t bytes);
  bool may_overtake(const Account& account, std::uint64_t bytes) const;
  Instant ask_lenders(std::uint64_t bytes);

  io::Loop& loop_;
  std::uint64_t limit_;
  std::function<bool()> evict_;
  std::array<Account, kShares> accounts_;
  std::uint64_t used_ = 0;
  // The sum over the shares of what is used or guaranteed, whichever is more; never over the limit.
  std::uint64_t claimed_ = 0;
  std::size_t waiting_ = 0;
  std::list<Lender*> lenders_;  // the one that has not grown for the longest time first
};

}  // namespace hikyaku::spool
