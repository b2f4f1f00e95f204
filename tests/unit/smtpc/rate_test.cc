// SPDX-License-Identifier: MIT
#include "smtpc/rate.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace hikyaku;
using namespace hikyaku::smtpc;
using mail::Rate;
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
