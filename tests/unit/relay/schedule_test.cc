// SPDX-License-Identifier: MIT
#include "daemon/relay/schedule.h"

#include <doctest/doctest.h>

#include <set>

using namespace hikyaku;
using relay::DueList;

namespace {

// What waits, and where it goes when it is released.
struct ScheduleRig : relay::Schedule {
  bool release(Instant now) {
    auto released = relay::Schedule::release(now);
    for (const relay::Entry& entry : released) due_list.push_back(entry);
    return !released.empty();
  }
  std::size_t due() const { return due_list.size(); }
  std::size_t size() const { return relay::Schedule::size() + due(); }
  DueList due_list;
};

constexpr Instant kStart{1h};

mail::MailId id(std::uint64_t value) { return mail::MailId{value}; }

// All that is due, in order.
std::vector<std::uint64_t> drained(ScheduleRig& schedule) {
  std::vector<std::uint64_t> ids;
  while (auto entry = schedule.due_list.pop({})) ids.push_back(entry->id.value);
  return ids;
}

// Everything that can be released at `now`; gives how many calls that took.
int release_everything(ScheduleRig& schedule, Instant now) {
  int calls = 0;
  while (schedule.next_release() <= now && schedule.release(now)) ++calls;
  return calls;
}

}  // namespace

TEST_CASE("schedule: what waits comes out in the order of its time, whatever the order in which it came") {
  ScheduleRig schedule;
  for (std::uint64_t i = 0; i < 100; ++i) schedule.postpone({.id = id(i)}, kStart + (i * 37 % 100) * 1s);
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
  ScheduleRig schedule;
  for (std::uint64_t i = 1; i <= 3; ++i) schedule.due_list.push_back({.id = id(i)});
  schedule.due_list.push_front({.id = id(9)});
  CHECK(schedule.due_list.first()->id == id(9));
  CHECK(schedule.due_list.pop({id(9), id(1)})->id == id(2));
  CHECK(schedule.due_list.pop({id(9), id(1)})->id == id(3));
  CHECK(schedule.due_list.pop({id(9), id(1)})->id == id(9));  // the newest
  CHECK(drained(schedule) == std::vector<std::uint64_t>{1});
  CHECK_FALSE(schedule.due_list.pop({}));
}

TEST_CASE(
    "schedule: from the end comes what has become due last, and if all is to be avoided the newest mail") {
  ScheduleRig schedule;
  for (std::uint64_t i : {3U, 1U, 4U, 2U}) schedule.due_list.push_back({.id = id(i)});
  CHECK(schedule.due_list.has_other({id(3), id(1), id(4)}));
  CHECK_FALSE(schedule.due_list.has_other({id(3), id(1), id(4), id(2)}));
  CHECK(schedule.due_list.pop({}, true)->id == id(2));
  CHECK(schedule.due_list.pop({id(4)}, true)->id == id(1));
  CHECK(schedule.due_list.pop({id(3), id(4)}, true)->id == id(4));
  CHECK(schedule.due_list.pop({id(3)}, false)->id == id(3));
  CHECK_FALSE(schedule.due_list.has_other({}));
}

TEST_CASE("schedule: passing over mails takes no longer with a million others") {
  ScheduleRig schedule;
  std::vector<mail::MailId> avoid;
  for (std::uint64_t i = 0; i < 64; ++i) avoid.push_back(id(i));
  for (const mail::MailId& each : avoid) schedule.due_list.push_back({.id = each});
  for (std::uint64_t i = 100; i < 1'000'100; ++i) schedule.due_list.push_back({.id = id(i)});
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    CHECK(schedule.due_list.has_other(avoid));
    CHECK(schedule.due_list.pop(avoid, i % 2 == 1)->id == id(i % 2 == 0 ? 100 + i / 2 : 1'000'099 - i / 2));
  }
}

TEST_CASE("schedule: releasing everything spares what is postponed after it") {
  ScheduleRig schedule;
  schedule.postpone({.id = id(1)}, kStart + 1h);
  schedule.postpone({.id = id(2)}, kStart + 2h);
  schedule.release_all();
  schedule.postpone({.id = id(3)}, kStart + 3h);
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
    ScheduleRig schedule;
    for (std::uint64_t i = 0; i < kMany; ++i) schedule.postpone({.id = id(i)}, kStart + i * 1us);
    if (by_reload) schedule.release_all();
    CHECK(release_everything(schedule, kStart + 1h) > 10);
    CHECK(schedule.due() == kMany);
    auto ids = drained(schedule);
    CHECK(std::set<std::uint64_t>(ids.begin(), ids.end()).size() == kMany);
  }
}

TEST_CASE("schedule: those that are retried become due before their time, and no others") {
  ScheduleRig schedule;
  for (std::uint64_t i = 0; i < 100; ++i)
    schedule.postpone({.id = id(i), .since = 7us}, kStart + 1h + i * 1s);
  schedule.retry({id(3), id(42), id(1000)});
  CHECK(schedule.size() == 100);
  CHECK(schedule.waiting() == 100);
  CHECK(schedule.next_release() < kStart);
  CHECK(release_everything(schedule, kStart) == 1);
  CHECK(schedule.waiting() == 98);
  CHECK(schedule.due_list.first()->since == 7us);
  auto ids = drained(schedule);
  CHECK(std::set<std::uint64_t>(ids.begin(), ids.end()) == std::set<std::uint64_t>{3, 42});
  CHECK(schedule.next_release() == kStart + 1h);
  schedule.retry({});
  schedule.retry({id(3)});
  CHECK(release_everything(schedule, kStart) == 0);
  CHECK(drained(schedule).empty());
  CHECK(schedule.size() == 98);
}

TEST_CASE(
    "schedule: a retry searches what waits in portions, and calls that come meanwhile share one more "
    "pass") {
  constexpr std::uint64_t kMany = 20'000;
  ScheduleRig schedule;
  for (std::uint64_t i = 0; i < kMany; ++i) schedule.postpone({.id = id(i)}, kStart + 1h + i * 1s);
  schedule.retry({id(1)});
  int first = 0;
  while (schedule.due() == 0 || first < 10) {
    schedule.release(kStart);
    ++first;
    schedule.retry({id(static_cast<std::uint64_t>(first) + 100)});
    REQUIRE(first < 1000);
  }
  CHECK(first >= 10);
  int rest = 0;
  while (schedule.next_release() < kStart) {
    schedule.release(kStart);
    REQUIRE(++rest < 200);
  }
  CHECK(schedule.due() == static_cast<std::size_t>(first) + 1);
  CHECK(schedule.size() == kMany);
  auto ids = drained(schedule);
  CHECK(std::set<std::uint64_t>(ids.begin(), ids.end()).size() == ids.size());
}

TEST_CASE("schedule: what becomes due, or waits anew, while others are retried is neither lost nor doubled") {
  constexpr std::uint64_t kMany = 5'000;
  for (bool all : {false, true}) {
    ScheduleRig schedule;
    for (std::uint64_t i = 0; i < kMany; ++i) schedule.postpone({.id = id(i)}, kStart + i * 1s);
    schedule.retry({id(kMany - 1)});
    schedule.release(kStart + 10s);
    schedule.postpone({.id = id(kMany)}, kStart + 5s);
    if (all) schedule.release_all();
    schedule.postpone({.id = id(kMany + 1)}, kStart + 2h);
    for (int i = 0; i < 100; ++i) schedule.release(kStart + 10s);
    CHECK(schedule.size() == kMany + 2);
    CHECK(schedule.due() == (all ? kMany + 1 : 13));
    CHECK(schedule.next_release() == kStart + (all ? Duration(2h) : 11s));
    auto ids = drained(schedule);
    std::set<std::uint64_t> found(ids.begin(), ids.end());
    CHECK(found.size() == ids.size());
    CHECK(found.contains(kMany));
    CHECK(found.contains(kMany - 1));
    CHECK_FALSE(found.contains(kMany + 1));
  }
}
