// SPDX-License-Identifier: MIT
#include "spool/postgresql/claims.h"

#include <algorithm>
#include <utility>

#include "spool/postgresql/statements.h"

namespace hikyaku::postgresql {
namespace {

constexpr std::size_t kMostAtOnce = 200;
constexpr Duration kPoll = 5s;
constexpr Duration kSpread = 250ms;  // of nodes that have the same reason for a round
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
          .held = rows.flag(row, 2),
          .state = rows.number(row, 6)};
}

}  // namespace

void Claims::begin(spool::Claimant claimant) {
  claimant_ = std::move(claimant);
  nursery_.spawn(keep());
}

Task<void> Claims::end() {
  cancel_.request();
  co_await nursery_.drained({});
}

Duration Claims::some_of(Duration most) const {
  return Duration(static_cast<std::int64_t>(static_cast<double>(most.count()) * options_.jitter()));
}

// Nodes that were started together do not ask together.
Duration Claims::pause() const {
  const Duration longest = std::min(kPoll, options_.lease / 2);
  const Duration usual = longest / 2 + some_of(longest / 2);
  return next_due_ ? std::min(usual, *next_due_ + some_of(kSpread)) : usual;
}

Task<void> Claims::keep() {
  for (;;) {
    const bool goes_on = co_await wait_for_turn();
    if (!goes_on) co_return;
    co_await round();
  }
}

// False: there are no more rounds.
Task<bool> Claims::wait_for_turn() {
  const io::Until until = loop_.within(pause(), &cancel_);
  io::Woken woken = io::Woken::ready;
  while (woken == io::Woken::ready && !is_rung_ && !(is_more_ && claimant_.room() >= kMostAtOnce))
    woken = co_await changed_.wait(until);
  if (std::exchange(is_rung_, false))
    co_await io::sleep_until(loop_, loop_.within(some_of(kSpread), &cancel_));
  co_return !cancel_.is_requested();
}

// While this node may not send it asks for nothing.
Task<void> Claims::round() {
  is_more_ = false;
  next_due_.reset();
  if (!lease_.may_send(lease_.epoch())) co_return;
  co_await take_over();
  if (is_in_doubt_) co_await look_for_unknown();
  const std::size_t room = claimant_.room();
  if (room > 0) co_await claim(std::min(room, kMostAtOnce));
}

// The second half of a lease is what a dead node gets on top: its last transactions come to their end.
Task<void> Claims::take_over() {
  Statements statements{
      {&kTakeOver, {number(options_.lease.count() / 2), number(options_.takeover.count())}}};
  if (rounds_++ % kRoundsBetweenSweeps == 0) {
    statements.push_back({&kSweep, {number(options_.takeover.count())}});
    statements.push_back({&kSweepBodies, {}});
    statements.push_back({&kSweepFiles, {}});
  }
  const std::size_t count = statements.size();
  auto done = co_await database_.run(std::move(statements));
  if (!done) co_return;
  const bool has_swept = count > 1 && (*done)[1].number(0, 0) > 0;
  if (done->front().number(0, 1) > 0 || has_swept) doorbell_.ring();
}

Task<void> Claims::claim(std::size_t most) {
  const std::int64_t epoch = lease_.epoch();
  auto claimed = co_await database_.run(
      Statements{{&kClaim, {number(epoch), number(static_cast<std::int64_t>(most))}}, {&kNextDue, {}}});
  if (!claimed && claimed.error().kind == DatabaseErrorKind::lost) note_doubt();
  if (!claimed) co_return;
  is_more_ = claimed->front().size() == most;
  if (!claimed->back().is_null(0, 0)) next_due_ = Duration(claimed->back().number(0, 0));
  adopt(claimed->front(), epoch);
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
  if (!fresh.empty()) claimant_.on_claimed(fresh);
}

}  // namespace hikyaku::postgresql
