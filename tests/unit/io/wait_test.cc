// SPDX-License-Identifier: MIT
#include "daemon/io/wait.h"

#include <doctest/doctest.h>

#include <stdexcept>
#include <thread>

#include "daemon/io/loop.h"
#include "daemon/io/nursery.h"
#include "daemon/io/work.h"

using namespace hikyaku;
using namespace hikyaku::io;

namespace {

Task<int> at_once(int value) { co_return value; }

Task<int> sum_of_many() {
  int sum = 0;
  for (int i = 0; i < 200'000; ++i) {
    int one = co_await at_once(1);
    sum += one;
  }
  co_return sum;
}

Task<int> throwing() {
  throw std::runtime_error("boom");
  co_return 0;
}

Task<void> note_when(Loop& loop, Until until, std::vector<Woken>& notes) {
  Woken woken = co_await sleep_until(loop, until);
  notes.push_back(woken);
}

Task<void> notify_after(Loop& loop, Duration time, Event& event) {
  co_await sleep_until(loop, loop.within(time));
  event.notify();
}

Task<void> cancel_after(Loop& loop, Duration time, Cancel& cancel) {
  co_await sleep_until(loop, loop.within(time));
  cancel.request();
}

}  // namespace

TEST_CASE("task: children that do not block cost no stack") {
  ManualClock clock;
  Loop loop(clock);
  CHECK(loop.run(sum_of_many()) == 200'000);
}

TEST_CASE("task: an exception travels to the awaiter") {
  ManualClock clock;
  Loop loop(clock);
  CHECK_THROWS_WITH(loop.run(throwing()), "boom");
}

TEST_CASE("loop: simulated days pass in order and in no time") {
  ManualClock clock;
  Loop loop(clock);
  Nursery nursery(loop);
  std::vector<Woken> notes;
  Instant start = loop.now();
  nursery.spawn(note_when(loop, loop.within(48h), notes));
  nursery.spawn(note_when(loop, loop.within(24h), notes));
  CHECK(loop.run(nursery.drained({})) == Woken::ready);
  CHECK(notes == std::vector{Woken::timeout, Woken::timeout});
  CHECK(loop.now() == start + 48h);
}

TEST_CASE("loop: a deadline that passes while the loop turns to its sockets does not wait for one of them") {
  SystemClock clock;
  Loop loop(clock);
  for (int i = 0; i < 1000; ++i)
    CHECK(loop.run(sleep_until(loop, loop.within(std::chrono::microseconds(i)))) == Woken::timeout);
}

TEST_CASE("wait: a cancel wakes those who wait and those who come later") {
  ManualClock clock;
  Loop loop(clock);
  Nursery nursery(loop);
  Cancel cancel;
  std::vector<Woken> notes;
  nursery.spawn(note_when(loop, {kNever, &cancel}, notes));
  nursery.spawn(note_when(loop, {loop.now() + 1h, &cancel}, notes));
  nursery.spawn(cancel_after(loop, 1min, cancel));
  loop.run(nursery.drained({}));
  nursery.spawn(note_when(loop, {kNever, &cancel}, notes));
  CHECK(notes == std::vector{Woken::cancelled, Woken::cancelled, Woken::cancelled});
}

TEST_CASE("event: wakes all that wait, and a deadline ends a wait without it") {
  ManualClock clock;
  Loop loop(clock);
  Nursery nursery(loop);
  Event event(loop);
  nursery.spawn(notify_after(loop, 1min, event));
  CHECK(loop.run(event.wait(loop.within(1s))) == Woken::timeout);
  CHECK(loop.run(event.wait(loop.within(1h))) == Woken::ready);
  loop.run(nursery.drained({}));
}

TEST_CASE("nursery: counts, drains, and tells of an exception") {
  SystemClock clock;
  Loop loop(clock);
  std::string told;
  Nursery nursery(loop, [&](const std::string& what) { told = what; });
  auto failing = [](Loop& l) -> Task<void> {
    co_await sleep_until(l, l.within(1ms));
    throw std::runtime_error("gone wrong");
  };
  nursery.spawn(failing(loop));
  CHECK(nursery.size() == 1);
  CHECK(loop.run(nursery.drained({})) == Woken::ready);
  CHECK(told == "gone wrong");
}

TEST_CASE("work: blocking work runs elsewhere, and a simulated clock waits for it") {
  ManualClock clock;
  Loop loop(clock);
  std::thread::id where;
  Instant before = loop.now();
  Nursery nursery(loop);
  std::vector<Woken> notes;
  nursery.spawn(note_when(loop, loop.within(1h), notes));
  loop.run(run_on_pool(loop, [&] { where = std::this_thread::get_id(); }));
  CHECK(where != std::this_thread::get_id());
  CHECK(loop.now() == before);
  loop.run(nursery.drained({}));
}

TEST_CASE("loop: what another thread posts runs on the loop's") {
  SystemClock clock;
  Loop loop(clock);
  Event event(loop);
  std::thread::id where;
  std::thread other([&] {
    loop.post([&] {
      where = std::this_thread::get_id();
      event.notify();
    });
  });
  CHECK(loop.run(event.wait({})) == Woken::ready);
  other.join();
  CHECK(where == std::this_thread::get_id());
}

TEST_CASE("loop: what another thread posts while a turn is under way is taken, though nothing else happens") {
  SystemClock clock;
  Loop loop(clock);
  Event event(loop);
  loop.defer([&] { std::thread([&] { loop.post([&] { event.notify(); }); }).join(); });
  CHECK(loop.run(event.wait({})) == Woken::ready);
}
