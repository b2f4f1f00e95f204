// SPDX-License-Identifier: MIT
#include "spool/budget.h"

#include <doctest/doctest.h>

#include "daemon/io/nursery.h"

namespace hikyaku::spool {
namespace {

struct BudgetFixture {
  ManualClock clock;
  io::Loop loop{clock};
  int evictable = 0;
  MemoryBudget budget{loop, 1000, [this] { return evict(); }};
  Reservation cached;
  std::vector<int> served;

  bool evict() {
    if (evictable-- <= 0) return false;
    cached.shrink_to(cached.bytes() - 100);
    return true;
  }
  Reservation reserve(std::uint64_t bytes) { return loop.run(budget.reserve(bytes)); }
  static Task<void> ask(BudgetFixture* with, int who, std::uint64_t bytes) {
    Reservation mine = co_await with->budget.reserve(bytes);
    with->served.push_back(who);
  }
};

TEST_CASE("budget: what is reserved is counted and comes back") {
  BudgetFixture fixture;
  {
    Reservation first = fixture.reserve(300);
    CHECK(first.grow_to(600));
    CHECK_FALSE(first.grow_to(1001));
    CHECK(fixture.budget.used() == 600);
    first.shrink_to(100);
    Reservation moved = std::move(first);
    CHECK(fixture.budget.used() == 100);
  }
  CHECK(fixture.budget.used() == 0);
}

TEST_CASE("budget: who finds no room waits, and is served in turn") {
  BudgetFixture fixture;
  io::Nursery nursery(fixture.loop);
  {
    Reservation all = fixture.reserve(1000);
    nursery.spawn(BudgetFixture::ask(&fixture, 1, 800));
    nursery.spawn(BudgetFixture::ask(&fixture, 2, 100));
    CHECK(fixture.served.empty());
    all.shrink_to(500);
    Reservation none;
    CHECK_FALSE(all.grow_to(600));  // others wait
  }
  fixture.loop.run(nursery.drained({}));
  CHECK(fixture.served == std::vector{1, 2});
  CHECK(fixture.budget.used() == 0);
}

TEST_CASE("budget: the cache gives way before anyone waits") {
  BudgetFixture fixture;
  fixture.cached = fixture.reserve(1000);
  fixture.evictable = 10;
  Reservation needed = fixture.reserve(250);
  CHECK(fixture.cached.bytes() == 700);
  CHECK(needed.bytes() == 250);
}

TEST_CASE("budget: who waits is served when the cache has got something that can go") {
  BudgetFixture fixture;
  fixture.cached = fixture.reserve(1000);
  io::Nursery nursery(fixture.loop);
  nursery.spawn(BudgetFixture::ask(&fixture, 1, 100));
  CHECK(fixture.served.empty());
  fixture.evictable = 10;
  fixture.budget.reconsider();
  fixture.loop.run(nursery.drained({}));
  CHECK(fixture.served == std::vector{1});
}

TEST_CASE("budget: more than all there is counts as all") {
  BudgetFixture fixture;
  Reservation all = fixture.reserve(5000);
  CHECK(all.bytes() == 1000);
}

}  // namespace
}  // namespace hikyaku::spool
