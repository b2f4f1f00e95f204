// SPDX-License-Identifier: MIT
#include "daemon/app/schedule.h"

#include <doctest/doctest.h>

#include <set>

using namespace hikyaku;
using app::Schedule;

namespace {

constexpr Instant kStart{1h};

mail::MailId id(std::uint64_t value) { return mail::MailId{value}; }

// All that is due, in order.
std::vector<std::uint64_t> drained(Schedule& schedule) {
  std::vector<std::uint64_t> ids;
  while (auto entry = schedule.pop({})) ids.push_back(entry->id.value);
  return ids;
}

// Everything that can be released at `now`; gives how many calls that took.
int release_everything(Schedule& schedule, Instant now) {
  int calls = 0;
  while (schedule.next_release() <= now && schedule.release(now)) ++calls;
  return calls;
}

}  // namespace

TEST_CASE("schedule: what waits comes out in the order of its time, whatever the order in which it came") {
  Schedule schedule;
  for (std::uint64_t i = 0; i < 100; ++i) schedule.postpone({id(i), {}}, kStart + (i * 37 % 100) * 1s);
  CHECK(schedule.size() == 100);
  CHECK(schedule.due() == 0);
  CHECK(schedule.next_release() == kStart);
  CHECK_FALSE(schedule.release(kStart - 1us));
  CHECK(schedule.release(kStart + 49s));
  CHECK(schedule.due() == 50);
  CHECK(schedule.next_release() == kStart + 50s);
  auto ids = drained(schedule);
  for (std::size_t i = 0; i < ids.size(); ++i) CHECK(ids[i] * 37 % 100 == i);
  CHECK(schedule.size() == 50);
}

TEST_CASE("schedule: mail that is to be avoided is passed over, unless there is no other") {
  Schedule schedule;
  for (std::uint64_t i = 1; i <= 3; ++i) schedule.add_due({id(i), {}});
  schedule.add_due_first({id(9), {}});
  CHECK(schedule.first_due()->id == id(9));
  CHECK(schedule.pop({id(9), id(1)})->id == id(2));
  CHECK(schedule.pop({id(9), id(1)})->id == id(3));
  CHECK(schedule.pop({id(9), id(1)})->id == id(9));
  CHECK(drained(schedule) == std::vector<std::uint64_t>{1});
  CHECK_FALSE(schedule.pop({}));
}

TEST_CASE("schedule: releasing everything spares what is postponed after it") {
  Schedule schedule;
  schedule.postpone({id(1), {}}, kStart + 1h);
  schedule.postpone({id(2), {}}, kStart + 2h);
  schedule.release_all();
  schedule.postpone({id(3), {}}, kStart + 3h);
  CHECK(schedule.size() == 3);
  CHECK(schedule.next_release() < kStart);
  CHECK(release_everything(schedule, kStart) == 1);
  CHECK(drained(schedule) == std::vector<std::uint64_t>{1, 2});
  CHECK(schedule.next_release() == kStart + 3h);
  schedule.release_all();
  CHECK(release_everything(schedule, kStart) == 1);
  CHECK(drained(schedule) == std::vector<std::uint64_t>{3});
  CHECK(schedule.next_release() == kNever);
}

TEST_CASE("schedule: a great many that become due at once are moved in portions, each of them once") {
  constexpr std::uint64_t kMany = 50'000;
  for (bool by_reload : {true, false}) {
    Schedule schedule;
    for (std::uint64_t i = 0; i < kMany; ++i) schedule.postpone({id(i), {}}, kStart + i * 1us);
    if (by_reload) schedule.release_all();
    CHECK(release_everything(schedule, kStart + 1h) > 10);
    CHECK(schedule.due() == kMany);
    auto ids = drained(schedule);
    CHECK(std::set<std::uint64_t>(ids.begin(), ids.end()).size() == kMany);
  }
}
