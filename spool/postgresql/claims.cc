// SPDX-License-Identifier: MIT
#include "spool/postgresql/claims.h"

#include <algorithm>

#include "spool/postgresql/statements.h"

namespace hikyaku::postgresql {
namespace {

constexpr std::int64_t kMostAtOnce = 200;
constexpr std::size_t kEnough = 2000;  // who has so many leaves the rest to others
constexpr Duration kPoll = 5s;
constexpr std::uint64_t kRoundsBetweenSweeps = 20;

// Rows of kClaim and kOwned.
mail::MailId found_id(const Rows& rows, std::size_t row) {
  return {static_cast<std::uint64_t>(rows.number(row, 0))};
}

OwnedMail found_mail(const Rows& rows, std::size_t row, std::int64_t epoch) {
  return {.epoch = epoch,
          .size = static_cast<std::uint64_t>(rows.number(row, 1)),
          .head = static_cast<std::uint64_t>(rows.number(row, 5)),
          .waited = Duration(rows.number(row, 3)),
          .next_wait = Duration(rows.number(row, 4)),
          .held = rows.flag(row, 2)};
}

}  // namespace

void Claims::begin(OnClaimed on_claimed) {
  on_claimed_ = std::move(on_claimed);
  nursery_.spawn(keep());
}

Task<void> Claims::end() {
  cancel_.request();
  co_await nursery_.drained({});
}

// Nodes that were started together do not ask together.
Duration Claims::pause() const {
  const Duration longest = std::min(kPoll, options_.lease / 2);
  return longest / 2 +
         Duration(static_cast<std::int64_t>(static_cast<double>(longest.count()) * options_.jitter() / 2));
}

Task<void> Claims::keep() {
  for (;;) {
    auto woken = co_await io::sleep_until(loop_, loop_.within(pause(), &cancel_));
    if (woken == io::Woken::cancelled) co_return;
    co_await round();
  }
}

// While this node may not send it asks for nothing.
Task<void> Claims::round() {
  if (!lease_.may_send(lease_.epoch())) co_return;
  co_await take_over();
  if (is_in_doubt_) co_await look_for_unknown();
  if (owned_.size() < kEnough) co_await claim();
}

// The second half of a lease is what a dead node gets on top: its last transactions come to their end.
Task<void> Claims::take_over() {
  Statements statements{
      {&kTakeOver, {number(options_.lease.count() / 2), number(options_.takeover.count())}}};
  if (rounds_++ % kRoundsBetweenSweeps == 0) {
    statements.push_back({&kSweep, {number(options_.takeover.count())}});
    statements.push_back({&kSweepBodies, {}});
  }
  co_await database_.run(std::move(statements));
}

Task<void> Claims::claim() {
  const std::int64_t epoch = lease_.epoch();
  auto claimed = co_await database_.run(Statements{{&kClaim, {number(epoch), number(kMostAtOnce)}}});
  if (claimed)
    adopt(claimed->front(), epoch);
  else if (claimed.error().kind == DatabaseErrorKind::lost)
    note_doubt();
}

Task<void> Claims::look_for_unknown() {
  const std::int64_t epoch = lease_.epoch();
  is_in_doubt_ = false;
  auto all = co_await database_.run(Statements{{&kOwned, {number(epoch)}}});
  if (all)
    adopt(all->front(), epoch);
  else
    note_doubt();
}

std::vector<mail::QueueEntry> Claims::take_in(const Rows& rows, std::int64_t epoch) {
  std::vector<mail::QueueEntry> fresh;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const OwnedMail found = found_mail(rows, row, epoch);
    const mail::MailId id = found_id(rows, row);
    if (owned_.add(id, found)) fresh.push_back({id, found.size, found.next_wait, found.held});
  }
  return fresh;
}

void Claims::adopt(const Rows& rows, std::int64_t epoch) {
  const auto fresh = take_in(rows, epoch);
  if (!fresh.empty()) on_claimed_(fresh);
}

}  // namespace hikyaku::postgresql
