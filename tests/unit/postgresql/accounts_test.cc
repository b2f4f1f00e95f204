// SPDX-License-Identifier: MIT
#include "spool/postgresql/accounts.h"

#include <doctest/doctest.h>

#include "spool/postgresql/statements.h"
#include "tests/unit/postgresql/sim_node.h"

namespace hikyaku::test {
namespace {

using mail::AccountsErrorKind;

struct Sharing : Fleet {
  Sharing() {
    loop.run(left.start());
    loop.run(right.start());
  }
  mail::SharedAccounts& of(SimNode& node) { return *node.spool->accounts(); }
  mail::Account get(SimNode& node) {
    auto found = loop.run(of(node).get("a name"));
    REQUIRE(found);
    return *found;
  }
  auto put(SimNode& node, std::int64_t version, std::string state) {
    return loop.run(of(node).put("a name", version, std::move(state)));
  }
};

}  // namespace

TEST_CASE("shared accounts: only who has seen the latest version changes a value") {
  Sharing two;
  CHECK(two.get(two.left).version == 0);
  CHECK(two.put(two.left, 0, "one") == true);
  CHECK(two.put(two.right, 0, "other") == false);
  const mail::Account seen = two.get(two.right);
  CHECK(seen.state == "one");
  CHECK(two.put(two.right, seen.version, "two") == true);
  CHECK(two.put(two.left, seen.version, "three") == false);
  CHECK(two.get(two.left).state == "two");
  CHECK(two.get(two.left).version != seen.version);
}

TEST_CASE("shared accounts: the clock is the database's") {
  Sharing two;
  const mail::Account before = two.get(two.left);
  two.pass(1h);
  const Duration passed = two.get(two.right).now - before.now;
  CHECK(passed >= 1h);
  CHECK(passed < 1h + 1s);
}

TEST_CASE("shared accounts: a change whose answer was lost is found out, and done once") {
  Sharing two;
  two.left.wire.lose_answers = 1;
  CHECK(two.put(two.left, 0, "one") == true);
  two.left.wire.lose_answers = 1;
  CHECK(two.put(two.left, 0, "two") == false);
  CHECK(two.get(two.right).state == "one");
  two.left.wire.lose_answers = 1'000'000;
  const std::int64_t version = two.get(two.right).version;
  auto unknown = two.put(two.left, version, "two");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().kind == AccountsErrorKind::unknown);
  two.left.wire.lose_answers = 0;
}

TEST_CASE("shared accounts: while the database is away nothing is done, and it is said at once") {
  Sharing two;
  two.left.cut(true);
  const Instant before = two.loop.now();
  CHECK_FALSE(two.loop.run(two.of(two.left).get("a name")));
  auto refused = two.put(two.left, 0, "one");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == AccountsErrorKind::not_done);
  CHECK(two.loop.now() - before < 2s);
  CHECK(two.server.accounts.empty());
}

TEST_CASE("shared accounts: each node knows how many are alive, within a renewal, or a lease after a death") {
  Sharing two;
  int told = 0;
  two.of(two.left).set_on_nodes([&] { ++told; });
  CHECK(two.of(two.right).nodes() == 2);
  two.pass(1s);  // a third of the lease
  CHECK(two.of(two.left).nodes() == 2);
  two.loop.run(two.right.stop());
  two.pass(1s);
  CHECK(two.of(two.left).nodes() == 1);
  two.loop.run(two.right.start());
  two.pass(1s);
  CHECK(two.of(two.left).nodes() == 2);
  two.right.cut(true);
  two.pass(4s);
  CHECK(two.of(two.left).nodes() == 1);
  CHECK(told == 4);
}

}  // namespace hikyaku::test
