// SPDX-License-Identifier: MIT
// The statements of a shared spool against a real PostgreSQL, by two sessions: what the simulated database of the unit
// tests takes for granted. shared_spool_test.py starts one and names it in $HIKYAKU_DATABASE.
#include "tests/interop/database_sessions.h"

namespace hikyaku::postgresql {

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
      &kAccept,
      {number(kId), number(two.one), number(1), number(0), number(5), text("e"), text("c"), std::nullopt}};
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

TEST_CASE("database: a mail that is given back is nobody's, and it is known when the next one is due") {
  Sessions two;
  CHECK(two.ask(two.left, {&kNextDue, {}}).is_null(0, 0));
  REQUIRE(two.accept(two.one).flag(0, 0));
  CHECK(two.record(two.one, kHour));
  CHECK(two.ask(two.left, {&kNextDue, {}}).is_null(0, 0));
  CHECK(two.record(two.one, kHour, true));
  CHECK_FALSE(two.record(two.one, 0));
  const std::int64_t next = two.ask(two.left, {&kNextDue, {}}).number(0, 0);
  CHECK(next > kHour / 2);
  CHECK(next <= kHour);
  CHECK(two.claimed(two.other) == 0);
}

TEST_CASE(
    "database: what was planned counts as waiting, and an hour more; nothing where the clock went back") {
  Sessions two;
  REQUIRE(two.accept(two.one).flag(0, 0));
  two.ask(two.left, {&kAge, {number(30 * kHour)}});
  CHECK(two.counted(two.one) == 3600);
  REQUIRE(two.record(two.one, 4 * kHour));
  two.ask(two.left, {&kAge, {number(4 * kHour)}});
  CHECK(two.counted(two.one) >= 4 * 3600);
  CHECK(two.counted(two.one) < 5 * 3600);
  two.ask(two.left, {&kAge, {number(100 * kHour)}});
  CHECK(two.counted(two.one) == 5 * 3600);
  two.ask(two.left, {&kAge, {number(-1000 * kHour)}});
  CHECK(two.counted(two.one) == 0);
}

TEST_CASE("database: a notice is stored with what becomes of its mail, by its owner and nobody else") {
  Sessions two;
  REQUIRE(two.accept(two.one).flag(0, 0));
  auto settle = [&](std::int64_t epoch) {
    const Values of_mail{number(kId), number(epoch)};
    return *two.loop.run(two.left.run({{&kLock, of_mail}, two.notice(epoch), {&kFinish, of_mail}}));
  };
  auto others = settle(two.other);
  CHECK(others[0].empty());
  CHECK_FALSE(others[1].flag(0, 0));
  CHECK(others[2].empty());
  CHECK_FALSE(two.has(kOtherId));
  for (bool is_first : {true, false}) {  // the second time as if the answer had been lost
    auto own = settle(two.one);
    CHECK(own[1].flag(0, 0));
    CHECK(own[2].empty() != is_first);
  }
  CHECK(two.has(kOtherId));
  CHECK_FALSE(two.has(kId));
}

TEST_CASE("database: a mail that came from a file is known until that is gone") {
  Sessions two;
  two.ask(two.left, {&kNoteFile, {number(kId), number(two.one)}});
  CHECK_FALSE(two.has(kId));
  REQUIRE(two.accept(two.one).flag(0, 0));
  for (int runs = 0; runs < 2; ++runs) two.ask(two.left, {&kNoteFile, {number(kId), number(two.one)}});
  CHECK(two.finish(two.one));
  CHECK(two.has(kId));
  CHECK(two.ask(two.left, {&kSweepFiles, {}}).number(0, 0) == 0);
  two.ask(two.left, {&kForgetFile, {number(kId)}});
  CHECK_FALSE(two.has(kId));
}

TEST_CASE("database: a ring is heard by others that listen, also when their connection was lost meanwhile") {
  Sessions two;
  int heard = 0, heard_by_ringer = 0;
  io::Event changed(two.loop);
  two.left.set_on_ring([&] { ++heard, changed.notify(); });
  two.right.set_on_ring([&] { ++heard_by_ringer; });
  auto ring_until_heard = [&]() -> Task<void> {
    const int before = heard;
    co_await two.right.run({{&kRing, {}}});
    while (heard == before) co_await changed.wait({});
  };
  two.ask(two.left, {&kListen, {}});
  two.ask(two.right, {&kListen, {}});
  for (int times = 0; times < 3; ++times) two.loop.run(ring_until_heard());
  two.ask(two.right, {&kKillOthers, {}});
  while (!two.loop.run(two.left.run({{&kListen, {}}}))) continue;
  two.loop.run(ring_until_heard());
  CHECK(heard_by_ringer == 0);
}

// ---- mutants: what each statement says so that nobody touches another's mail is needed

namespace {

struct Mutant {
  const Query* query;
  std::string_view clause;
  std::string_view instead;
  // What nobody may do. True: this statement lets them.
  bool (*is_wrong)(Sessions&, const Query&);
};

bool others_get(Sessions& two, const Query& query, Values more = {}) {
  two.accept(two.one);
  Values values{number(kId), number(two.other)};
  values.insert(values.end(), more.begin(), more.end());
  return !two.ask(two.right, {&query, values}).empty();
}

bool others_change(Sessions& two, const Query& query) { return others_get(two, query); }

bool others_record(Sessions& two, const Query& query) {
  return others_get(two, query, {text("progress"), number(0), number(0), number(0), number(1)});
}

bool strangers_accept(Sessions& two, const Query& query) {
  return two
      .ask(two.left, {&query,
                      {number(kId), number(two.other + 1000), number(1), number(0), number(5), text("e"),
                       text("c"), std::nullopt}})
      .flag(0, 0);
}

bool others_notify(Sessions& two, const Query& query) {
  two.accept(two.one);
  return two.ask(two.right, two.notice(two.other, query)).flag(0, 0);
}

bool the_late_claim(Sessions& two, const Query& query) {
  two.accept(two.one);
  two.ask(two.left, {&kHandBack, {number(two.one)}});
  two.ask(two.right, {&kRenew, {number(two.other), number(kOver)}});
  return !two.ask(two.right, {&query, {number(two.other), number(10)}}).empty();
}

bool claims_anothers(Sessions& two, const Query& query) {
  two.accept(two.one);
  return !two.ask(two.right, {&query, {number(two.other), number(10)}}).empty();
}

bool buries_the_living(Sessions& two, const Query& query) {
  return two.ask(two.right, {&query, {number(0), number(0)}}).number(0, 0) > 0;
}

bool hurries(Sessions& two, const Query& query) {
  two.accept(two.one);
  two.ask(two.left, {&kRenew, {number(two.one), number(kOver)}});
  two.ask(two.right, {&query, {number(0), number(kHour)}});
  return two.claimed(two.other) > 0;
}

bool frees_anothers(Sessions& two, const Query& query) {
  two.accept(two.one);
  two.ask(two.right, {&query, {number(two.other)}});
  return two.claimed(two.other) > 0;
}

bool sweeps_the_living(Sessions& two, const Query& query) {
  two.accept(two.one);
  return two.ask(two.right, {&query, {number(0)}}).number(0, 0) > 0;
}

Task<void> settle_slowly(Link& link, const Query& lock, std::int64_t epoch) {
  (void)co_await link.run({{&lock, {number(kId), number(epoch)}}, {&kBeHeldUp, {}}});
}

// While the transaction of the one that owns the mail is under way.
bool may_be_taken_meanwhile(Sessions& two, const Query& lock) {
  two.accept(two.one);
  Link third{two.loop, two.pq, two.address, two.resolver, {}};
  two.ask(third, {&kHoldUp, {}});
  io::Nursery nursery(two.loop);
  nursery.spawn(settle_slowly(two.left, lock, two.one));
  while (two.ask(two.right, {&kHeldUp, {}}).number(0, 0) == 0) continue;
  const bool may_be_taken = !two.ask(two.right, {&kUnlocked, {}}).empty();
  two.ask(third, {&kGoOn, {}});
  two.loop.run(nursery.drained({}));
  return may_be_taken;
}

constexpr std::string_view kOwner = " AND owner = $2::bigint", kAnybody = " AND $2::bigint IS NOT NULL";

const Mutant kMutants[] = {
    {&kFinish, kOwner, kAnybody, others_change},
    {&kRecord, kOwner, kAnybody, others_record},
    {&kLoad, kOwner, kAnybody, others_change},
    {&kLoadContent, kOwner, kAnybody, others_change},
    {&kLock, kOwner, kAnybody, others_change},
    {&kLock, " FOR UPDATE", "", may_be_taken_meanwhile},
    {&kAcceptNotice, kOwner, kAnybody, others_notify},
    {&kAccept, "FROM hikyaku.node WHERE epoch = $2::bigint",
     "FROM (VALUES ($2::bigint, 'nobody')) node (epoch, name)", strangers_accept},
    {&kClaim, " AND alive_until > clock_timestamp()", "", the_late_claim},
    {&kClaim, "owner IS NULL AND ", "", claims_anothers},
    {&kTakeOver, "WHERE alive_until < clock_timestamp() - $1::bigint * interval '1 microsecond' RETURNING",
     "WHERE $1::bigint IS NOT NULL RETURNING", buries_the_living},
    {&kTakeOver, "greatest(due, clock_timestamp() + $2::bigint * interval '1 microsecond')",
     "CASE WHEN $2::bigint IS NOT NULL THEN due END", hurries},
    {&kHandBack, "WHERE owner = $1::bigint", "WHERE $1::bigint IS NOT NULL", frees_anothers},
    {&kSweep, " AND NOT EXISTS (SELECT FROM hikyaku.node WHERE epoch = m.owner)", "", sweeps_the_living},
};

}  // namespace

TEST_CASE("database: each clause that keeps nodes off each other's mail is missed when it is left out") {
  for (const Mutant& mutant : kMutants) {
    INFO(std::string(mutant.query->name), " without", std::string(mutant.clause));
    std::string statement = mutant.query->text;
    const std::size_t at = statement.find(mutant.clause);
    REQUIRE(at != std::string::npos);
    statement.replace(at, mutant.clause.size(), mutant.instead);
    const Query without{"mutant", statement.c_str()};
    Sessions as_it_is;
    CHECK_FALSE(mutant.is_wrong(as_it_is, *mutant.query));
    Sessions changed;
    CHECK(mutant.is_wrong(changed, without));
  }
}

TEST_CASE("database: what was accepted is durable in this server, as the check says") {
  Sessions two;
  auto checked = two.loop.run(check_schema(two.left));
  REQUIRE(checked);
  CHECK(checked->notes.empty());
}

}  // namespace hikyaku::postgresql
