// SPDX-License-Identifier: MIT
#include "spool/budget.h"

#include <doctest/doctest.h>

#include <vector>

#include "daemon/io/nursery.h"

namespace hikyaku::spool {
namespace {

constexpr std::uint64_t kLimit = 16'000;     // a sixteenth is 1000; seven are guaranteed to nobody
constexpr std::uint64_t kSmallShare = 2000;  // what is guaranteed to it
constexpr std::uint64_t kFree = 7000;

struct BudgetFixture {
  ManualClock clock;
  io::Loop loop{clock};
  std::vector<Reservation> cached;
  MemoryBudget budget{loop, kLimit, [this] { return evict(); }};
  io::Nursery nursery{loop};
  std::vector<int> served;
  std::vector<int> gave_up;

  ~BudgetFixture() { cached.clear(); }

  bool evict() {
    if (cached.empty()) return false;
    cached.erase(cached.begin());
    return true;
  }
  bool cache(std::uint64_t bytes) {
    Reservation one(budget, Share::cache);
    if (!one.grow_to(bytes)) return false;
    cached.push_back(std::move(one));
    return true;
  }
  Reservation hold(Share share, std::uint64_t bytes) {
    Reservation held(budget, share);
    REQUIRE(held.grow_to(bytes));
    return held;
  }
  static Task<void> asking(BudgetFixture* with, int who, Share share, std::uint64_t bytes) {
    auto mine = co_await with->budget.reserve(share, bytes, kMemoryTimeout);
    (mine ? with->served : with->gave_up).push_back(who);
  }
  void ask(int who, Share share, std::uint64_t bytes) { nursery.spawn(asking(this, who, share, bytes)); }
  void settle() { loop.run(nursery.drained({})); }
  // Everything up to that time.
  void pass(Duration time) { loop.run(io::sleep_until(loop, loop.within(time))); }
};

// Gives back at once, or, if it is told to, only when it is released.
struct Holder final : Lender {
  Holder(BudgetFixture& fixture, std::vector<Holder*>& asked)
      : Lender(fixture.budget, Share::large), asked_(asked) {}
  bool hold(std::uint64_t bytes) { return borrow(Share::large, bytes); }
  std::uint64_t bytes() const { return memory_.bytes(); }

 private:
  void give_back() override {
    asked_.push_back(this);
    memory_.shrink_to(0);
  }
  std::vector<Holder*>& asked_;
};

TEST_CASE("budget: what is reserved is counted and comes back") {
  BudgetFixture fixture;
  {
    Reservation first = fixture.hold(Share::large, 300);
    CHECK(first.grow_to(600));
    CHECK(fixture.budget.used() == 600);
    first.shrink_to(100);
    Reservation moved = std::move(first);
    CHECK(fixture.budget.used() == 100);
    CHECK(moved.move_to(Share::cache, 50));
    CHECK(fixture.budget.used(Share::large) == 0);
    CHECK(fixture.budget.used(Share::cache) == 50);
  }
  CHECK(fixture.budget.used() == 0);
}

TEST_CASE("budget: large bodies take what is guaranteed to nobody, and no share takes another's") {
  BudgetFixture fixture;
  Reservation large = fixture.hold(Share::large, kFree);
  CHECK(large.bytes() == kFree);
  Reservation more(fixture.budget, Share::large);
  CHECK_FALSE(more.grow_to(1));
  Reservation small = fixture.hold(Share::small, kSmallShare);
  CHECK_FALSE(Reservation(fixture.budget, Share::small).grow_to(1));
  Reservation reader = fixture.hold(Share::readers, 2000);
  Reservation envelope = fixture.hold(Share::envelopes, 2000);
  Reservation loaded = fixture.hold(Share::loaded, 1000);
  Reservation lists = fixture.hold(Share::loaded_lists, 1000);
  Reservation commit = fixture.hold(Share::commits, 1000);
  CHECK(fixture.budget.used() == kLimit);
  large.shrink_to(0);
  Reservation beyond = fixture.hold(Share::small, kFree);  // what nobody uses anybody may
  CHECK_FALSE(Reservation(fixture.budget, Share::readers).grow_to(1));
}

TEST_CASE("budget: lists of recipients beyond those that SMTP promises have a bound of their own") {
  BudgetFixture fixture;
  Reservation one = fixture.hold(Share::long_lists, 1500);
  Reservation other = fixture.hold(Share::long_lists, 500);
  CHECK_FALSE(other.grow_to(501));
  CHECK(fixture.hold(Share::lists, 5000).bytes() == 5000);
}

TEST_CASE("budget: who finds no room waits, and is served in turn") {
  BudgetFixture fixture;
  {
    Reservation free = fixture.hold(Share::large, kFree);
    Reservation all = fixture.hold(Share::small, kSmallShare);
    fixture.ask(1, Share::small, 1500);
    fixture.ask(2, Share::small, 100);
    CHECK(fixture.served.empty());
    all.shrink_to(1000);
    CHECK_FALSE(all.grow_to(1100));                             // others wait
    CHECK(fixture.hold(Share::readers, 2000).bytes() == 2000);  // what is guaranteed elsewhere is there
    CHECK_FALSE(Reservation(fixture.budget, Share::readers).grow_to(2001));
  }
  fixture.settle();
  CHECK(fixture.served == std::vector{1, 2});
  CHECK(fixture.budget.used() == 0);
}

TEST_CASE("budget: every wait for memory has a deadline") {
  BudgetFixture fixture;
  Reservation free = fixture.hold(Share::large, kFree);
  Reservation all = fixture.hold(Share::readers, 2000);
  fixture.ask(1, Share::readers, 10);
  const Instant before = fixture.loop.now();
  fixture.settle();
  CHECK(fixture.gave_up == std::vector{1});
  CHECK(fixture.loop.now() - before == kMemoryTimeout);
  auto at_once = fixture.loop.run(fixture.budget.reserve(Share::readers, 10, Duration{0}));
  CHECK_FALSE(at_once);
  CHECK(fixture.loop.now() - before == kMemoryTimeout);
}

TEST_CASE("budget: whoever waits first and gives up does not keep the others") {
  BudgetFixture fixture;
  Reservation free = fixture.hold(Share::large, kFree);
  Reservation all = fixture.hold(Share::small, kSmallShare);
  fixture.ask(1, Share::small, 2000);
  fixture.pass(10s);
  fixture.ask(2, Share::small, 500);
  all.shrink_to(1500);
  fixture.settle();
  CHECK(fixture.gave_up == std::vector{1});
  CHECK(fixture.served == std::vector{2});
}

TEST_CASE("budget: the cache gives way before anyone waits, and only if that is enough") {
  BudgetFixture fixture;
  for (int i = 0; i < 7; ++i) CHECK(fixture.cache(1000));
  CHECK(fixture.cache(1000));  // the oldest has gone for it
  CHECK(fixture.cached.size() == 7);
  Reservation needed = fixture.hold(Share::large, 2500);
  CHECK(fixture.cached.size() == 4);
  Reservation too_much(fixture.budget, Share::large);
  CHECK_FALSE(too_much.grow_to(5000));
  CHECK(fixture.cached.size() == 4);
}

TEST_CASE("budget: who waits is served when the cache has got something that can go") {
  BudgetFixture fixture;
  Reservation pinned = fixture.hold(Share::cache, kFree);
  Reservation all = fixture.hold(Share::small, kSmallShare);
  const Instant before = fixture.loop.now();
  fixture.ask(1, Share::small, 100);
  CHECK(fixture.served.empty());
  fixture.cached.push_back(std::move(pinned));
  fixture.budget.reconsider();
  fixture.settle();
  CHECK(fixture.served == std::vector{1});
  CHECK(fixture.loop.now() == before);
}

TEST_CASE(
    "budget: who has not grown for a second while others wait is asked for its memory, the longest first") {
  BudgetFixture fixture;
  std::vector<Holder*> asked;
  Holder first(fixture, asked), second(fixture, asked), third(fixture, asked);
  Reservation small = fixture.hold(Share::small, kSmallShare);
  REQUIRE(first.hold(2000));
  REQUIRE(second.hold(2000));
  fixture.pass(500ms);
  REQUIRE(first.hold(2500));
  REQUIRE(third.hold(2500));
  fixture.pass(400ms);
  const Instant before = fixture.loop.now();
  fixture.ask(1, Share::small, 100);
  fixture.settle();
  CHECK(fixture.served == std::vector{1});
  CHECK(asked == std::vector{&second});
  CHECK(fixture.budget.used(Share::small) == kSmallShare);  // what was served was taken once, and is back
  CHECK(fixture.loop.now() - before == 100ms);
  CHECK(first.bytes() == 2500);
}

TEST_CASE("budget: nobody is asked while nobody waits, and nobody who has gone") {
  BudgetFixture fixture;
  std::vector<Holder*> asked;
  Holder idle(fixture, asked);
  REQUIRE(idle.hold(3000));
  {
    Holder gone(fixture, asked);
    REQUIRE(gone.hold(4000));
  }
  fixture.pass(1h);
  CHECK(asked.empty());
  Reservation free = fixture.hold(Share::large, 4000);
  Reservation small = fixture.hold(Share::small, kSmallShare);
  fixture.ask(1, Share::small, 10);
  fixture.settle();
  CHECK(asked == std::vector{&idle});
}

TEST_CASE(
    "budget: who waits counts as at most all that is guaranteed, so that nobody waits for another share") {
  BudgetFixture fixture;
  Reservation free = fixture.hold(Share::large, kFree);
  auto all = fixture.loop.run(fixture.budget.reserve(Share::commits, 500'000, kMemoryTimeout));
  REQUIRE(all);
  CHECK(all->bytes() == 1000);
}

}  // namespace
}  // namespace hikyaku::spool
