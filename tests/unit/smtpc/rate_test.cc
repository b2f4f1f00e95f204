// SPDX-License-Identifier: MIT
#include "smtpc/rate.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace hikyaku;
using namespace hikyaku::smtpc;
using mail::Rate;
using mail::RateOf;
using mail::RateUnit;

namespace {

const Instant kBeginning = ManualClock().now();

// As many as are permitted up to `end`, each as soon as it is; when each began.
std::vector<Instant> send_eagerly(RateLimiter& limiter, Instant begin, Instant end) {
  std::vector<Instant> sent;
  for (Instant now = limiter.next(begin); now < end; now = limiter.next(now)) {
    REQUIRE(limiter.take(now));
    sent.push_back(now);
  }
  return sent;
}

std::size_t most_within(const std::vector<Instant>& sent, Duration period) {
  std::size_t most = 0;
  for (auto first = sent.begin(); first != sent.end(); ++first) {
    auto end = std::lower_bound(first, sent.end(), *first + period);
    most = std::max(most, static_cast<std::size_t>(end - first));
  }
  return most;
}

}  // namespace

TEST_CASE("rate: without one there is no limit") {
  RateLimiter limiter;
  for (int i = 0; i < 1000; ++i) CHECK(limiter.take(kBeginning));
  CHECK(limiter.available(kBeginning) == RateLimiter::kUnlimited);
  CHECK(limiter.next(kBeginning) == kBeginning);
}

TEST_CASE("rate: in no period of its unit are there more messages than it says, and hardly fewer in all") {
  for (Rate rate : {Rate{1, RateUnit::second}, Rate{14, RateUnit::second}, Rate{500, RateUnit::second},
                    Rate{1, RateUnit::minute}, Rate{30, RateUnit::minute}, Rate{1, RateUnit::hour},
                    Rate{7, RateUnit::hour}, Rate{333, RateUnit::day}}) {
    CAPTURE(to_text(rate));
    RateLimiter limiter({rate});
    const Duration unit = length(rate.unit);
    auto sent = send_eagerly(limiter, kBeginning, kBeginning + 20 * unit);
    CHECK(most_within(sent, unit) == rate.count);
    CHECK(sent.size() > 20 * rate.count * 97 / 100);
  }
}

TEST_CASE("rate: it holds whenever mail comes") {
  std::mt19937 random(20261122);  // NOLINT: the same every time
  for (Rate rate : {Rate{14, RateUnit::second}, Rate{200, RateUnit::minute}, Rate{50, RateUnit::hour}}) {
    CAPTURE(to_text(rate));
    RateLimiter limiter({rate});
    const Duration unit = length(rate.unit);
    std::uniform_int_distribution<Duration::rep> pause(0, unit.count() / 10);
    std::vector<Instant> sent;
    for (Instant now = kBeginning; now < kBeginning + 50 * unit; now += Duration(pause(random)))
      for (unsigned burst = random() % (rate.count / 2); burst > 0 && limiter.take(now); --burst)
        sent.push_back(now);
    CHECK(sent.size() > 10 * rate.count);
    CHECK(most_within(sent, unit) <= rate.count);
  }
}

TEST_CASE("rate: seconds and minutes begin smoothly, hours and days as the mail comes") {
  CHECK(RateLimiter({{14, RateUnit::second}}).available(kBeginning) == 1);
  CHECK(RateLimiter({{30, RateUnit::minute}}).available(kBeginning) == 1);
  CHECK(RateLimiter({{1000, RateUnit::second}}).available(kBeginning) == 20);
  CHECK(RateLimiter({{30, RateUnit::hour}}).available(kBeginning) == 30);
  CHECK(RateLimiter({{10000, RateUnit::day}}).available(kBeginning) == 10000);
}

TEST_CASE("rate: one that comes too late by less than a bucket catches up") {
  RateLimiter limiter({{100, RateUnit::second}});
  std::size_t sent = 0;
  for (Instant now = kBeginning; now < kBeginning + 10s; now += 15ms)
    while (limiter.take(now)) ++sent;
  CHECK(sent > 960);
}

TEST_CASE("rate: of several each one holds") {
  RateLimiter limiter({{2, RateUnit::second}, {10, RateUnit::hour}, {15, RateUnit::day}});
  auto sent = send_eagerly(limiter, kBeginning, kBeginning + 48h);
  CHECK(most_within(sent, 1s) == 2);
  CHECK(most_within(sent, 1h) == 10);
  CHECK(most_within(sent, 24h) == 15);
  CHECK(sent.size() == 30);
  CHECK(limiter.available(kBeginning + 48h) <= 2);
}

TEST_CASE("rate: the time of the next message is exact") {
  RateLimiter limiter({{3, RateUnit::hour}});
  for (int minute : {0, 10, 20}) REQUIRE(limiter.take(kBeginning + std::chrono::minutes(minute)));
  const Instant now = kBeginning + 30min;
  CHECK(limiter.available(now) == 0);
  CHECK(limiter.next(now) == kBeginning + 1h);
  CHECK(!limiter.take(kBeginning + 1h - 1us));
  CHECK(limiter.take(kBeginning + 1h));
  CHECK(limiter.next(kBeginning + 1h) == kBeginning + 70min);
}

TEST_CASE("rate: what was not tried is given back, and what was tried then still counts") {
  RateLimiter limiter({{2, RateUnit::minute}, {2, RateUnit::day}});
  REQUIRE(limiter.take(kBeginning));
  REQUIRE(limiter.take(kBeginning + 1h));
  CHECK(limiter.next(kBeginning + 1h) == kBeginning + 24h);
  limiter.give_back(kBeginning);
  REQUIRE(limiter.take(kBeginning + 2h));
  CHECK(limiter.next(kBeginning + 2h) == kBeginning + 25h);
  limiter.give_back(kBeginning + 2h);
  CHECK(limiter.next(kBeginning + 2h) == kBeginning + 2h);
}

TEST_CASE("rate: a change of the configuration forgets nothing") {
  RateLimiter limiter({{1, RateUnit::minute}, {5, RateUnit::day}});
  REQUIRE(limiter.take(kBeginning));
  limiter.configure({{1, RateUnit::minute}, {3, RateUnit::day}});
  CHECK(limiter.next(kBeginning) == kBeginning + 60s);
  REQUIRE(limiter.take(kBeginning + 1h));
  REQUIRE(limiter.take(kBeginning + 2h));
  CHECK(limiter.next(kBeginning + 3h) == kBeginning + 24h);
  limiter.configure({{1, RateUnit::day}});
  CHECK(limiter.next(kBeginning + 3h) == kBeginning + 26h);  // all three must be a day old
  limiter.configure({{4, RateUnit::day}});
  CHECK(limiter.available(kBeginning + 3h) == 1);
  limiter.configure({});
  CHECK(limiter.available(kBeginning + 3h) == RateLimiter::kUnlimited);
}

TEST_CASE("rate: a quota keeps few portions however many messages there are") {
  RateLimiter limiter({{1'000'000, RateUnit::day}});
  for (int i = 0; i < 200'000; ++i) REQUIRE(limiter.take(kBeginning + i * 1s));
  CHECK(limiter.quotas().at(0).used().size() <= 102);
}

TEST_CASE("rate: recipients are counted as the mail comes, whatever the unit") {
  for (RateUnit unit : {RateUnit::second, RateUnit::day}) {
    RateLimiter limiter({{10, unit, RateOf::recipients}});
    REQUIRE(limiter.take(kBeginning));
    REQUIRE(limiter.take_recipients(kBeginning, 4));
    CHECK(limiter.available(kBeginning) == 6);
    REQUIRE(limiter.take(kBeginning));
    REQUIRE(limiter.take_recipients(kBeginning, 6));
    CHECK(!limiter.take(kBeginning));
    CHECK(limiter.next(kBeginning) == kBeginning + length(unit));
  }
}

TEST_CASE("rate: a mail to more recipients than are left waits until there is room for all of them") {
  RateLimiter limiter({{10, RateUnit::hour, RateOf::recipients}});
  for (int minute : {0, 10, 20})
    REQUIRE(limiter.take_recipients(kBeginning + std::chrono::minutes(minute), 3));
  const Instant now = kBeginning + 30min;
  CHECK(limiter.available(now) == 1);
  CHECK(!limiter.take_recipients(now, 5));
  CHECK(limiter.available(now) == 0);
  CHECK(limiter.is_used_up(limiter.quotas().at(0), now));
  CHECK(limiter.next(now) == kBeginning + 70min);  // two of the three portions must be an hour old
  CHECK(!limiter.take(now));
  REQUIRE(limiter.take(kBeginning + 70min));
  REQUIRE(limiter.take_recipients(kBeginning + 70min, 5));
  CHECK(limiter.available(kBeginning + 70min) == 2);
}

TEST_CASE("rate: a mail to more recipients than the rate allows at all goes alone") {
  RateLimiter limiter({{10, RateUnit::hour, RateOf::recipients}});
  REQUIRE(limiter.take_recipients(kBeginning, 1));
  CHECK(!limiter.take_recipients(kBeginning, 500));
  CHECK(limiter.next(kBeginning) == kBeginning + 1h);
  CHECK(limiter.take_recipients(kBeginning + 1h, 500));
  CHECK(limiter.available(kBeginning + 1h) == 0);
  CHECK(limiter.next(kBeginning + 90min) == kBeginning + 2h);
  CHECK(limiter.available(kBeginning + 2h) == 10);
}

TEST_CASE("rate: in no period of its unit are there more recipients than it says") {
  std::mt19937 random(20261129);  // NOLINT: the same every time
  for (Rate rate :
       {Rate{14, RateUnit::second, RateOf::recipients}, Rate{200, RateUnit::hour, RateOf::recipients}}) {
    CAPTURE(to_text(rate));
    RateLimiter limiter({rate});
    std::vector<Instant> sent;
    std::uint64_t wanted = 1;
    for (Instant now = kBeginning; now < kBeginning + 50 * length(rate.unit); now = limiter.next(now + 1us)) {
      REQUIRE(limiter.take(now));
      if (!limiter.take_recipients(now, wanted)) continue;
      sent.insert(sent.end(), wanted, now);
      wanted = random() % rate.count + 1;
    }
    CHECK(sent.size() > 25 * rate.count);
    CHECK(most_within(sent, length(rate.unit)) <= rate.count);
  }
}

TEST_CASE("rate: messages and recipients are counted apart, and given back so") {
  RateLimiter limiter({{2, RateUnit::day}, {100, RateUnit::day, RateOf::recipients}});
  for (Instant now : {kBeginning, kBeginning + 1h}) {
    REQUIRE(limiter.take(now));
    REQUIRE(limiter.take_recipients(now, 20));
  }
  CHECK(limiter.available(kBeginning + 1h) == 0);
  limiter.give_back(kBeginning + 1h);
  limiter.give_back_recipients(kBeginning + 1h, 20);
  CHECK(limiter.available(kBeginning + 1h) == 1);
  REQUIRE(limiter.take(kBeginning + 2h));
  CHECK(limiter.take_recipients(kBeginning + 2h, 80));
}

TEST_CASE(
    "rate: the parts of several nodes together are never more than the rate, if each has at least one") {
  for (Rate rate : {Rate{14, RateUnit::second}, Rate{200, RateUnit::minute}, Rate{7, RateUnit::minute}}) {
    for (unsigned nodes : {2U, 3U, 7U}) {
      CAPTURE(to_text(rate));
      CAPTURE(nodes);
      RateLimiter limiter;
      limiter.configure({rate}, {.nodes = nodes});
      std::vector<Instant> sent;
      for (Instant now = kBeginning; now < kBeginning + 60 * length(rate.unit); now = limiter.next(now)) {
        REQUIRE(limiter.take(now));
        sent.push_back(now);
      }
      CHECK(most_within(sent, length(rate.unit)) <= rate.count / nodes);
      CHECK(sent.size() >= 55 * (rate.count / nodes));
    }
  }
}

TEST_CASE(
    "rate: of fewer messages than there are nodes each sends one in several units, and parts change as nodes "
    "do") {
  RateLimiter limiter;
  const std::vector<Rate> rates{{2, RateUnit::minute}, {9, RateUnit::minute, RateOf::recipients}};
  limiter.configure(rates, {.nodes = 5});
  REQUIRE(limiter.take(kBeginning));
  CHECK(limiter.next(kBeginning) >= kBeginning + 3min);
  CHECK(limiter.next(kBeginning) < kBeginning + 3min + 10s);
  CHECK(limiter.quotas().at(0).rate().count == 1);
  limiter.configure(rates, {.nodes = 1});
  REQUIRE(limiter.take(kBeginning + 5min));
  CHECK(limiter.next(kBeginning + 5min) < kBeginning + 6min);
  CHECK(limiter.quotas().at(0).rate().count == 9);
}
