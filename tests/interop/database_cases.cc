// SPDX-License-Identifier: MIT
// The statements of a shared spool against a real PostgreSQL, by two sessions: what the simulated database of the unit
// tests takes for granted. shared_spool_test.py starts one and names it in $HIKYAKU_DATABASE.
#include <doctest/doctest.h>

#include <cstdlib>

#include "spool/postgresql/fleet_statements.h"
#include "spool/postgresql/link.h"
#include "spool/postgresql/schema.h"
#include "spool/postgresql/statements.h"

namespace hikyaku::postgresql {
namespace {

using Values = std::vector<Value>;

const Query kKillOthers{"kill_others", R"(
  SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
   WHERE application_name = 'hikyaku' AND pid <> pg_backend_pid())"};
const Query kWrong{"wrong", "SELECT 1 / $1::bigint"};
const Query kNoSuchTable{"no_such_table", "SELECT epoch FROM hikyaku.nowhere"};

const Query kClear[] = {{"clear_mail", "DELETE FROM hikyaku.mail"},
                        {"clear_piece", "DELETE FROM hikyaku.piece"},
                        {"clear_file", "DELETE FROM hikyaku.file"},
                        {"clear_node", "DELETE FROM hikyaku.node"},
                        {"clear_account", "DELETE FROM hikyaku.account"}};

const Query kAge{"age",
                 "UPDATE hikyaku.mail SET recorded = recorded - $1::bigint * interval '1 microsecond'"};
const Query kUnlocked{"unlocked", "SELECT id FROM hikyaku.mail FOR UPDATE SKIP LOCKED"};
const Query kHoldUp{"hold_up", "SELECT pg_advisory_lock(1)::text"};
const Query kGoOn{"go_on", "SELECT pg_advisory_unlock(1)"};
const Query kBeHeldUp{"be_held_up", "SELECT pg_advisory_xact_lock(1)::text"};
const Query kHeldUp{"held_up", "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"};

constexpr std::int64_t kId = 7, kOtherId = 8, kHour = 3'600'000'000;
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
                         number(is_given_back ? 1 : 0)}})
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

TEST_CASE(
    "database: an operator takes or hurries only what is nobody's, and not what a dead node may just have "
    "sent") {
  Sessions two;
  auto take = [&] { return two.ask(two.right, {&kTake, {number(two.other), number(kId)}}).size(); };
  auto make_due = [&] { return two.ask(two.right, {&kMakeDue, {number(kId)}}).size(); };
  auto until_due = [&] { return two.ask(two.left, {&kLookAt, {number(kId)}}).number(0, kDueColumn); };
  REQUIRE(two.accept(two.one).flag(0, 0));
  CHECK(take() == 0);
  CHECK(make_due() == 0);
  REQUIRE(two.record(two.one, kHour));
  two.ask(two.left, {&kHandBack, {number(two.one)}});
  CHECK(until_due() > 0);
  CHECK(make_due() == 1);
  CHECK(until_due() <= 0);
  CHECK(take() == 1);
  CHECK(take() == 0);
  two.ask(two.left, {&kRenew, {number(two.other), number(-kHour)}});
  two.ask(two.left, {&kTakeOver, {number(0), number(kHour)}});
  two.other = two.ask(two.right, {&kEnter, {text("other"), number(kHour)}}).number(0, 0);
  CHECK(take() == 0);
  CHECK(make_due() == 1);
  CHECK(until_due() > 0);
}

TEST_CASE(
    "database: a page begins behind an id, tells whose each mail is, and leaves out what is too long for "
    "it") {
  Sessions two;
  auto page = [&](std::int64_t after) { return two.ask(two.left, {&kPage, {number(after), number(10)}}); };
  REQUIRE(two.accept(two.one).flag(0, 0));
  CHECK(page(kId).empty());
  auto found = page(kId - 1);
  REQUIRE(found.size() == 1);
  CHECK(found.bytes(0, kNodeColumn) == "one");
  CHECK(found.bytes(0, kOriginColumn) == "one");
  CHECK(found.number(0, kAliveColumn) > 0);
  CHECK(found.bytes(0, kEnvelopeColumn) == "envelope");
  CHECK(found.is_null(0, kProgressColumn));
  two.ask(two.left,
          {&kRecord, {number(kId), number(two.one), std::string(kLongestInPage, 'x'), number(0), number(0)}});
  CHECK(page(0).is_null(0, kEnvelopeColumn));
  CHECK(two.ask(two.left, {&kLookAt, {number(kId)}}).bytes(0, kProgressColumn).size() == kLongestInPage);
  two.ask(two.left, {&kHandBack, {number(two.one)}});
  CHECK(page(0).is_null(0, kNodeColumn));
}

TEST_CASE("database: a request is its owner's to find until it is answered, and gone when it is taken back") {
  Sessions two;
  const std::int64_t request = two.ask(two.left, {&kRequestNumber, {}}).number(0, 0);
  const Statement ask{&kAsk, {number(request), number(kId), number(3), text("anna")}};
  auto asked = [&](std::int64_t epoch) { return two.ask(two.right, {&kAsked, {number(epoch), number(10)}}); };
  two.ask(two.left, ask);  // there is no such mail
  CHECK(asked(two.one).empty());
  REQUIRE(two.accept(two.one).flag(0, 0));
  two.ask(two.left, ask);
  two.ask(two.left, ask);
  CHECK(asked(two.other).empty());
  auto found = asked(two.one);
  REQUIRE(found.size() == 1);
  CHECK(found.number(0, 1) == kId);
  CHECK(found.bytes(0, 3) == "anna");
  CHECK(two.ask(two.left, {&kAnswers, {number(request)}}).empty());
  two.ask(two.right, {&kAnswer, {number(request), number(kId), number(two.one), number(4), text("busy")}});
  CHECK(asked(two.one).empty());
  auto answers = two.ask(two.left, {&kAnswers, {number(request)}});
  REQUIRE(answers.size() == 1);
  CHECK(answers.number(0, 1) == 4);
  CHECK(answers.bytes(0, 2) == "busy");
  two.ask(two.left, {&kTakeBack, {number(request)}});
  CHECK(two.ask(two.left, {&kAnswers, {number(request)}}).empty());
}

TEST_CASE("database: a mail moves in once, whatever becomes of it then") {
  Sessions two;
  auto move_in = [&](std::int64_t id) {
    return two
        .ask(two.left, {&kMoveIn,
                        {text("move"), number(1), number(id), text("one"), number(5), number(0), number(5),
                         text("envelope"), text("hello"), text("progress"), number(1), number(kHour)}})
        .number(0, 0);
  };
  CHECK(move_in(kId) == kId);
  CHECK(move_in(kId + 1) == kId);
  CHECK(two.ask(two.right, {&kTake, {number(two.other), number(kId)}}).flag(0, 2));
  CHECK(two.finish(two.other));
  CHECK(move_in(kId + 2) == kId);
  CHECK_FALSE(two.ask(two.right, {&kHas, {number(kId + 2)}}).flag(0, 0));
  two.ask(two.left, {&kForgetMove, {text("move")}});
  CHECK(two.ask(two.left, {&kMovedBefore, {text("move"), number(1)}}).empty());
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
  return others_get(two, query, {text("progress"), number(0), number(0), number(0)});
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
