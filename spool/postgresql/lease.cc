// SPDX-License-Identifier: MIT
#include "spool/postgresql/lease.h"

#include <algorithm>
#include <utility>

#include "spool/postgresql/statements.h"

namespace hikyaku::postgresql {

Task<Result<void, DatabaseError>> Lease::begin() {
  auto entered = co_await enter();
  if (entered) nursery_.spawn(keep());
  co_return entered;
}

// The time is taken before the statement leaves: the database's lease never ends before ours.
Task<Result<void, DatabaseError>> Lease::enter() {
  const Instant sent = loop_.now();
  auto entered =
      co_await database_.run(Statements{{&kEnter, {text(options_.node), number(options_.lease.count())}}});
  if (!entered) co_return std::unexpected(entered.error());
  epoch_ = entered->front().number(0, 0);
  valid_until_ = sent + options_.lease;
  note_nodes(entered->front().number(0, 1));
  co_return {};
}

void Lease::note_nodes(std::int64_t nodes) {
  const auto count = static_cast<unsigned>(std::max<std::int64_t>(1, nodes));
  if (std::exchange(nodes_, count) != count) on_nodes_();
}

Task<Result<void, DatabaseError>> Lease::end() {
  cancel_.request();
  co_await nursery_.drained({});
  auto left = co_await database_.run(Statements{{&kHandBack, {number(epoch_)}}, {&kLeave, {number(epoch_)}}});
  if (!left) co_return std::unexpected(left.error());
  co_return {};
}

Task<void> Lease::keep() {
  for (;;) {
    const Duration pause = trouble_ ? options_.lease / 10 : options_.lease / 3;
    auto woken = co_await io::sleep_until(loop_, loop_.within(pause, &cancel_));
    if (woken == io::Woken::cancelled) co_return;
    auto trouble = co_await renew();
    const bool has_changed = trouble.has_value() != trouble_.has_value();
    trouble_ = std::move(trouble);
    if (has_changed) on_trouble_();
  }
}

// Also a lease that has run out is renewed, if nobody has taken this node's mail meanwhile.
Task<std::optional<DatabaseError>> Lease::renew() {
  const Instant sent = loop_.now();
  auto renewed =
      co_await database_.run(Statements{{&kRenew, {number(epoch_), number(options_.lease.count())}}});
  if (!renewed) co_return renewed.error();
  if (!renewed->front().empty()) {
    valid_until_ = sent + options_.lease;
    note_nodes(renewed->front().number(0, 1));
    co_return std::nullopt;
  }
  auto entered = co_await enter();
  if (!entered) co_return entered.error();
  on_new_epoch_();
  co_return std::nullopt;
}

}  // namespace hikyaku::postgresql
