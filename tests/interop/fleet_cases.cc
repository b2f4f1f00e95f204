// SPDX-License-Identifier: MIT
// The statements about mail of any node against a real PostgreSQL, as database_cases.cc has the others.
#include "tests/interop/database_sessions.h"

namespace hikyaku::postgresql {

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
  two.ask(two.left, {&kRecord,
                     {number(kId), number(two.one), std::string(kLongestInPage, 'x'), number(0), number(0),
                      number(0), number(1)}});
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

}  // namespace hikyaku::postgresql
