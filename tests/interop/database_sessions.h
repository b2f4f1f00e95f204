// SPDX-License-Identifier: MIT
// Two sessions of a real PostgreSQL, the one in $HIKYAKU_DATABASE, and what the cases about its statements ask with them.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>

#include "daemon/io/nursery.h"
#include "spool/postgresql/fleet_statements.h"
#include "spool/postgresql/link.h"
#include "spool/postgresql/schema.h"
#include "spool/postgresql/statements.h"

namespace hikyaku::postgresql {

using Values = std::vector<Value>;

inline const Query kKillOthers{"kill_others", R"(
  SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
   WHERE application_name = 'hikyaku' AND pid <> pg_backend_pid())"};
inline const Query kWrong{"wrong", "SELECT 1 / $1::bigint"};
inline const Query kNoSuchTable{"no_such_table", "SELECT epoch FROM hikyaku.nowhere"};

inline const Query kClear[] = {{"clear_mail", "DELETE FROM hikyaku.mail"},
                               {"clear_piece", "DELETE FROM hikyaku.piece"},
                               {"clear_file", "DELETE FROM hikyaku.file"},
                               {"clear_node", "DELETE FROM hikyaku.node"},
                               {"clear_account", "DELETE FROM hikyaku.account"}};

inline const Query kAge{
    "age", "UPDATE hikyaku.mail SET recorded = recorded - $1::bigint * interval '1 microsecond'"};
inline const Query kUnlocked{"unlocked", "SELECT id FROM hikyaku.mail FOR UPDATE SKIP LOCKED"};
inline const Query kHoldUp{"hold_up", "SELECT pg_advisory_lock(1)::text"};
inline const Query kGoOn{"go_on", "SELECT pg_advisory_unlock(1)"};
inline const Query kBeHeldUp{"be_held_up", "SELECT pg_advisory_xact_lock(1)::text"};
inline const Query kHeldUp{"held_up",
                           "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"};

inline constexpr std::int64_t kId = 7, kOtherId = 8, kHour = 3'600'000'000;
inline constexpr std::int64_t kOver = -1;  // a lease that has ended

struct Sessions {
  SystemClock clock;
  io::Loop loop{clock};
  io::SystemResolver resolver{loop};
  const Libpq& pq = **libpq();
  Address address = Address::parse(std::getenv("HIKYAKU_DATABASE")).value();
  Link left{loop, pq, address, resolver, {}}, right{loop, pq, address, resolver, {}};
  std::int64_t one = 0, other = 0;  // epochs

  Sessions() {
    (void)loop.run(init_schema(left));
    for (const Query& query : kClear) ask(right, {&query, {}});
    one = ask(left, {&kEnter, {text("one"), number(kHour)}}).number(0, 0);
    other = ask(right, {&kEnter, {text("other"), number(kHour)}}).number(0, 0);
  }
  Rows ask(Link& link, const Statement& statement) {
    auto results = loop.run(link.run({statement}));
    REQUIRE_MESSAGE(results, (results ? "" : results.error().text));
    return std::move(results->front());
  }
  Rows accept(std::int64_t epoch, std::string content = "hello") {
    return ask(left, {&kAccept,
                      {number(kId), number(epoch), number(static_cast<std::int64_t>(content.size())),
                       number(0), number(5), text("envelope"), content, std::nullopt}});
  }
  static Statement notice(std::int64_t epoch, const Query& query = kAcceptNotice) {
    return {&query,
            {number(kOtherId), number(epoch), number(1), number(0), number(5), text("envelope"), text("n"),
             number(kId)}};
  }
  bool has(std::int64_t id) { return ask(right, {&kHas, {number(id)}}).flag(0, 0); }
  // Of the only mail: how much of the time since its record counts, seconds.
  std::int64_t counted(std::int64_t epoch) {
    return ask(left, {&kOwned, {number(epoch)}}).number(0, 3) / 1'000'000;
  }
  std::size_t claimed(std::int64_t epoch) {
    return ask(right, {&kClaim, {number(epoch), number(10)}}).size();
  }
  bool finish(std::int64_t epoch) { return !ask(right, {&kFinish, {number(kId), number(epoch)}}).empty(); }
  bool record(std::int64_t epoch, std::int64_t wait, bool is_given_back = false) {
    return !ask(right, {&kRecord,
                        {number(kId), number(epoch), text("progress"), number(0), number(wait),
                         number(is_given_back ? 1 : 0), number(wait)}})
                .empty();
  }
};

}  // namespace hikyaku::postgresql
