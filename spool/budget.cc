// SPDX-License-Identifier: MIT
#include "spool/budget.h"

#include <algorithm>

namespace hikyaku::spool {
namespace {

constexpr Duration kIdle = 1s;  // without more, before a lender is asked, and between two rounds of asking
constexpr std::uint64_t kParts = 16;

struct Row {
  Share share;
  std::uint64_t guaranteed;  // sixteenths of the whole
  std::uint64_t most;        // sixteenths too; 0: everything that is not guaranteed to others
};
constexpr std::array<Row, kShares> kTable{{
    {Share::envelopes, 2, 0},
    {Share::lists, 0, 0},
    {Share::long_lists, 0, 2},
    {Share::loaded, 1, 0},
    {Share::loaded_lists, 1, 1},
    {Share::readers, 2, 0},
    {Share::small, 2, 0},
    {Share::large, 0, 0},
    {Share::commits, 1, 1},
    {Share::cache, 0, 0},
}};

}  // namespace

bool Reservation::move_to(Share share, std::uint64_t bytes) {
  return budget_ != nullptr && budget_->move(*this, share, bytes);
}

void Reservation::shrink_to(std::uint64_t bytes) {
  if (bytes >= bytes_) return;
  budget_->give_back(share_, bytes_ - bytes);
  bytes_ = bytes;
}

Lender::~Lender() {
  if (place_) budget_.lenders_.erase(*place_);
}

bool Lender::borrow(Share share, std::uint64_t bytes) {
  if (!memory_.move_to(share, bytes)) return false;
  enlist();
  return true;
}

void Lender::borrow(Reservation reservation) {
  memory_ = std::move(reservation);
  enlist();
}

void Lender::enlist() {
  auto& all = budget_.lenders_;
  if (place_)
    all.splice(all.end(), all, *place_);
  else
    place_ = all.insert(all.end(), this);
  grown_ = budget_.loop_.now();
}

MemoryBudget::MemoryBudget(io::Loop& loop, std::uint64_t limit, std::function<bool()> evict)
    : loop_(loop), limit_(limit), evict_(std::move(evict)) {
  for (const Row& row : kTable) {
    account(row.share).guaranteed = limit / kParts * row.guaranteed;
    claimed_ += account(row.share).guaranteed;
  }
  for (const Row& row : kTable) {
    Account& its = account(row.share);
    its.most = row.most == 0 ? limit - claimed_ + its.guaranteed : limit / kParts * row.most;
  }
}

Task<std::optional<Reservation>> MemoryBudget::reserve(Share share, std::uint64_t bytes, Duration patience) {
  Account& its = account(share);
  bytes = std::min(bytes, its.guaranteed);
  Reservation got(*this, share);
  bool served = its.waiting.empty() && take(share, bytes);
  if (!served && patience > Duration{0}) {
    const Instant end = loop_.now() + patience;
    io::Waiter turn(loop_);
    auto place = its.waiting.insert(its.waiting.end(), &turn);
    ++waiting_;
    auto try_turn = [&] { return served = its.waiting.front() == &turn && take(share, bytes); };
    while (!served && !try_turn() && loop_.now() < end) {
      const Instant again = its.waiting.front() == &turn ? ask_lenders(bytes) : end;
      if (!try_turn()) co_await turn.park({std::min(end, again)});
    }
    --waiting_;
    its.waiting.erase(place);
    reconsider();  // there may be room for two
  }
  if (!served) co_return std::nullopt;
  got.bytes_ = bytes;
  co_return got;
}

// When to ask again. As many as hold what is wanted are enough for one round.
Instant MemoryBudget::ask_lenders(std::uint64_t bytes) {
  const Instant now = loop_.now();
  for (std::uint64_t asked = 0; asked < bytes && !lenders_.empty();) {
    Lender& lender = *lenders_.front();
    if (lender.grown_ + kIdle > now) return lender.grown_ + kIdle;
    asked += lender.memory_.bytes();
    lenders_.pop_front();
    lender.place_.reset();
    lender.give_back();
  }
  return now + kIdle;
}

bool MemoryBudget::move(Reservation& reservation, Share share, std::uint64_t bytes) {
  Account& from = account(reservation.share_);
  Account& to = account(share);
  bytes = std::min(bytes, to.most);
  std::uint64_t more = &from == &to ? bytes - std::min(bytes, reservation.bytes_) : bytes;
  if (!may_overtake(to, more)) return false;
  count(from, from.used - reservation.bytes_);
  bool granted = take(share, bytes);
  if (!granted) count(from, from.used + reservation.bytes_);
  if (!granted) return false;
  reservation.share_ = share;
  reservation.bytes_ = bytes;
  if (&from != &to) reconsider();
  return true;
}

// While others wait nobody gets more than what is guaranteed.
bool MemoryBudget::may_overtake(const Account& account, std::uint64_t bytes) const {
  return waiting_ == 0 || (account.waiting.empty() && account.used + bytes <= account.guaranteed);
}

bool MemoryBudget::take(Share share, std::uint64_t bytes) {
  Account& its = account(share);
  auto is_too_much = [&](std::uint64_t evicted) {
    bool is_over_most = its.used + bytes - (share == Share::cache ? evicted : 0) > its.most;
    return is_over_most || claimed_ - evicted + its.claim(its.used + bytes) - its.claim(its.used) > limit_;
  };
  if (is_too_much(account(Share::cache).used)) return false;  // evicting everything would not help
  while (is_too_much(0) && evict_()) {
  }
  if (is_too_much(0)) return false;
  count(its, its.used + bytes);
  return true;
}

void MemoryBudget::give_back(Share share, std::uint64_t bytes) {
  Account& its = account(share);
  count(its, its.used - bytes);
  reconsider();
}

void MemoryBudget::count(Account& account, std::uint64_t used) {
  claimed_ += account.claim(used) - account.claim(account.used);
  used_ += used - account.used;
  account.used = used;
}

void MemoryBudget::reconsider() {
  if (waiting_ == 0) return;
  for (Account& account : accounts_)
    if (!account.waiting.empty()) account.waiting.front()->wake();
}

}  // namespace hikyaku::spool
