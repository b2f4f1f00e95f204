// SPDX-License-Identifier: MIT
// The statements of a shared spool against a real PostgreSQL, by two sessions: what the simulated database of the unit
// tests takes for granted. shared_spool_test.py starts one and names it in $HIKYAKU_DATABASE.
#include <doctest/doctest.h>

#include <cstdlib>

#include "spool/postgresql/link.h"
#include "spool/postgresql/schema.h"
#include "spool/postgresql/statements.h"

namespace hikyaku::postgresql {
namespace {

const Query kKillOthers{"kill_others", R"(
  SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
   WHERE application_name = 'hikyaku' AND pid <> pg_backend_pid())"};
const Query kWrong{"wrong", "SELECT 1 / $1::bigint"};
const Query kNoSuchTable{"no_such_table", "SELECT epoch FROM hikyaku.nowhere"};

const Query kClear[] = {{"clear_mail", "DELETE FROM hikyaku.mail"},
                        {"clear_piece", "DELETE FROM hikyaku.piece"},
                        {"clear_node", "DELETE FROM hikyaku.node"},
                        {"clear_account", "DELETE FROM hikyaku.account"}};

constexpr std::int64_t kId = 7, kHour = 3'600'000'000;
constexpr std::int64_t kOver = -1;  // a lease that has ended

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
                       number(0), number(5), text("envelope"), content}});
  }
  std::size_t claimed(std::int64_t epoch) {
    return ask(right, {&kClaim, {number(epoch), number(10)}}).size();
  }
  bool finish(std::int64_t epoch) { return !ask(right, {&kFinish, {number(kId), number(epoch)}}).empty(); }
  bool record(std::int64_t epoch, std::int64_t wait) {
    return !ask(right, {&kRecord, {number(kId), number(epoch), text("progress"), number(0), number(wait)}})
                .empty();
  }
};

}  // namespace

TEST_CASE("database: a mail is accepted once, by a node that is alive, and comes back as it was") {
  Sessions two;
  const std::string content("\0\xff hello", 8);
  CHECK_FALSE(two.accept(two.other + 1000).flag(0, 0));
  CHECK_FALSE(two.accept(two.other + 1000).flag(0, 1));
  CHECK(two.accept(two.one, content).flag(0, 0));
  CHECK(two.accept(two.one, "other").flag(0, 0));  // the second run of a group
  CHECK_FALSE(two.accept(two.other).flag(0, 0));
  auto loaded = two.ask(two.left, {&kLoadContent, {number(kId), number(two.one)}});
  REQUIRE(loaded.size() == 1);
  CHECK(loaded.number(0, 0) == 8);
  CHECK(loaded.number(0, 2) == 5);
  CHECK(loaded.bytes(0, 3) == content);
  CHECK(two.ask(two.left, {&kLoad, {number(kId), number(two.one)}}).is_null(0, 1));
  CHECK(two.ask(two.right, {&kHas, {number(kId)}}).flag(0, 0));
}

TEST_CASE("database: nobody but the owner reads, records, claims or ends a mail") {
  Sessions two;
  REQUIRE(two.accept(two.one).flag(0, 0));
  CHECK(two.claimed(two.other) == 0);
  CHECK(two.ask(two.right, {&kLoad, {number(kId), number(two.other)}}).empty());
  CHECK(two.ask(two.right, {&kLoadContent, {number(kId), number(two.other)}}).empty());
  CHECK_FALSE(two.record(two.other, 0));
  CHECK_FALSE(two.finish(two.other));
  CHECK(two.record(two.one, 0));
  CHECK(two.ask(two.right, {&kLoad, {number(kId), number(two.one)}}).bytes(0, 1) == "progress");
  CHECK(two.finish(two.one));
  CHECK_FALSE(two.finish(two.one));
  CHECK_FALSE(two.ask(two.right, {&kHas, {number(kId)}}).flag(0, 0));
}

TEST_CASE("database: mail that is handed back is claimed when it is due, with what it has waited") {
  Sessions two;
  REQUIRE(two.accept(two.one).flag(0, 0));
  REQUIRE(two.record(two.one, kHour));
  two.ask(two.left, {&kHandBack, {number(two.one)}});
  CHECK(two.claimed(two.other) == 0);
  REQUIRE(two.accept(two.one).flag(0, 0) == false);
  two.ask(two.right, {&kClear[0], {}});
  REQUIRE(two.accept(two.one).flag(0, 0));
  two.ask(two.left, {&kHandBack, {number(two.one)}});
  CHECK(two.claimed(two.other + 1000) == 0);
  auto claimed = two.ask(two.right, {&kClaim, {number(two.other), number(10)}});
  REQUIRE(claimed.size() == 1);
  CHECK(claimed.number(0, 0) == kId);
  CHECK(claimed.number(0, 1) == 5);
  CHECK_FALSE(claimed.flag(0, 2));
  CHECK(claimed.number(0, 3) >= 0);
  CHECK(claimed.number(0, 5) == 8);
  CHECK(two.ask(two.right, {&kOwned, {number(two.other)}}).size() == 1);
}

TEST_CASE(
    "database: a node is dead after its lease and the grace, and its mail is free after the take-over") {
  Sessions two;
  REQUIRE(two.accept(two.one).flag(0, 0));
  auto alive = two.ask(two.right, {&kTakeOver, {number(0), number(0)}});
  CHECK(alive.number(0, 0) == 0);
  two.ask(two.left, {&kRenew, {number(two.one), number(kOver)}});
  CHECK(two.ask(two.right, {&kTakeOver, {number(kHour), number(0)}}).number(0, 0) == 0);
  auto dead = two.ask(two.right, {&kTakeOver, {number(0), number(kHour)}});
  CHECK(dead.number(0, 0) == 1);
  CHECK(dead.number(0, 1) == 1);
  CHECK(two.claimed(two.other) == 0);
  CHECK(two.ask(two.left, {&kRenew, {number(two.one), number(kHour)}}).empty());
  CHECK_FALSE(two.finish(two.one));
}

TEST_CASE("database: mail of an owner that is no node, and its pieces, are found by the sweep") {
  Sessions two;
  REQUIRE(two.accept(two.one).flag(0, 0));
  CHECK(two.ask(two.right, {&kSweep, {number(0)}}).number(0, 0) == 0);
  two.ask(two.left, {&kLeave, {number(two.one)}});
  CHECK(two.ask(two.right, {&kSweep, {number(0)}}).number(0, 0) == 1);
  CHECK(two.claimed(two.other) == 1);
}

TEST_CASE("database: pieces go with their mail, and those without one when their writer says so") {
  Sessions two;
  auto put = [&](std::int64_t piece) {
    two.ask(two.left, {&kPutPiece,
                       {number(kId), number(two.one), number(piece), number(3), std::string(300'000, 'x')}});
  };
  put(1), put(2), put(2);
  two.ask(two.left, {&kDropPieces, {number(kId), number(two.other)}});
  auto loaded = two.ask(two.right, {&kLoadPiece, {number(kId), number(2)}});
  REQUIRE(loaded.size() == 1);
  CHECK(loaded.bytes(0, 1).size() == 300'000);
  REQUIRE(two.accept(two.one).flag(0, 0));
  two.ask(two.left, {&kDropPieces, {number(kId), number(two.one)}});
  CHECK(two.ask(two.right, {&kLoadPiece, {number(kId), number(1)}}).size() == 1);
  CHECK(two.finish(two.one));
  CHECK(two.ask(two.right, {&kLoadPiece, {number(kId), number(1)}}).empty());
  CHECK(two.ask(two.right, {&kSweepBodies, {}}).number(0, 0) == 0);
}

TEST_CASE("database: a shared value is changed only by who has seen its latest version") {
  Sessions two;
  auto get = [&](Link& link) { return two.ask(link, {&kGetAccount, {text("name")}}); };
  auto put = [&](Link& link, std::int64_t version, std::int64_t fresh, std::string state) {
    return two.ask(link, {&kPutAccount, {text("name"), number(version), number(fresh), std::move(state)}})
        .flag(0, 0);
  };
  CHECK(get(two.left).number(0, 1) == 0);
  CHECK(get(two.left).is_null(0, 2));
  CHECK_FALSE(put(two.left, 5, 6, "nothing is there"));
  CHECK(put(two.left, 0, 11, std::string("one\0", 4)));
  CHECK(put(two.left, 0, 11, std::string("one\0", 4)));  // once more, since the answer was lost
  CHECK_FALSE(put(two.right, 0, 12, "two"));
  CHECK(put(two.right, 11, 12, "two"));
  CHECK_FALSE(put(two.left, 11, 13, "three"));
  auto found = get(two.left);
  CHECK(found.number(0, 1) == 12);
  CHECK(found.bytes(0, 2) == "two");
  const Duration apart = two.clock.wall() - WallTime(Duration(found.number(0, 0)));
  CHECK(std::chrono::abs(apart) < 1min);
}

TEST_CASE("database: a renewal tells how many nodes are alive") {
  Sessions two;
  auto renew = [&](std::int64_t epoch, std::int64_t lease) {
    return two.ask(two.left, {&kRenew, {number(epoch), number(lease)}});
  };
  CHECK(renew(two.one, kHour).number(0, 1) == 2);
  CHECK(renew(two.one, kOver).number(0, 1) == 2);
  CHECK(renew(two.other, kHour).number(0, 1) == 1);
  CHECK(two.ask(two.right, {&kEnter, {text("third"), number(kHour)}}).number(0, 1) == 2);
}

TEST_CASE("database: a transaction happens as a whole, and an error does no harm to the next") {
  Sessions two;
  const Statement accept{
      &kAccept, {number(kId), number(two.one), number(1), number(0), number(5), text("e"), text("c")}};
  for (const Statement& bad : {Statement{&kWrong, {number(0)}}, Statement{&kNoSuchTable, {}}}) {
    auto results = two.loop.run(two.left.run({accept, bad}));
    REQUIRE_FALSE(results);
    CHECK(results.error().kind == DatabaseErrorKind::refused);
    CHECK(results.error().text.find("SQLSTATE") != std::string::npos);
    CHECK_FALSE(two.ask(two.left, {&kHas, {number(kId)}}).flag(0, 0));
  }
  CHECK(two.ask(two.left, {&kWrong, {number(1)}}).number(0, 0) == 1);
}

TEST_CASE("database: a session that the server has ended is lost, and the next run has another") {
  Sessions two;
  REQUIRE(two.ask(two.right, {&kKillOthers, {}}).number(0, 0) >= 1);
  auto lost = two.loop.run(two.left.run({{&kIds, {}}}));
  REQUIRE_FALSE(lost);
  CHECK(lost.error().kind == DatabaseErrorKind::lost);
  const std::int64_t first = two.ask(two.left, {&kIds, {}}).number(0, 0);
  CHECK(two.ask(two.right, {&kIds, {}}).number(0, 0) == first + kIdBlock);
}

TEST_CASE("database: what was accepted is durable in this server, as the check says") {
  Sessions two;
  auto checked = two.loop.run(check_schema(two.left));
  REQUIRE(checked);
  CHECK(checked->notes.empty());
}

}  // namespace hikyaku::postgresql
