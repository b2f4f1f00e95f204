// SPDX-License-Identifier: MIT
#include "daemon/mail/retry.h"

#include "doctest/doctest.h"

using namespace hikyaku;
using namespace hikyaku::mail;
using std::chrono::days;
using std::chrono::hours;

namespace {

constexpr double kMiddle = 0.5, kLeast = 0, kMost = 0.999999;

}  // namespace

TEST_CASE("retry: waits double from the first to the bound") {
  const RetryPolicy policy{30s, 2, 1h, 0};
  CHECK(next_wait(1, policy, kMiddle) == 30s);
  CHECK(next_wait(2, policy, kMiddle) == 60s);
  CHECK(next_wait(7, policy, kMiddle) == 1920s);
  CHECK(next_wait(8, policy, kMiddle) == 1h);
  CHECK(next_wait(4'000'000'000, policy, kMiddle) == 1h);
  CHECK(next_wait(0, policy, kMiddle) == 30s);
  CHECK(next_wait(4'000'000'000, RetryPolicy{30s, 1, 1h, 0}, kMiddle) == 30s);
}

TEST_CASE("retry: jitter spreads around the middle and never passes the bound") {
  const RetryPolicy policy{30s, 2, 1h, 0.2};
  CHECK(next_wait(1, policy, kLeast) == 24s);
  CHECK(next_wait(1, policy, kMiddle) == 30s);
  CHECK(next_wait(1, policy, kMost) > 35s);
  CHECK(next_wait(1, policy, kMost) <= 36s);
  for (std::uint32_t attempts = 1; attempts < 100; ++attempts)
    CHECK(next_wait(attempts, policy, kMost) <= 1h);
  CHECK(next_wait(99, policy, kLeast) == 40min);
  CHECK(next_wait(99, policy, kMost) > 59min);
}

TEST_CASE("retry: a first wait longer than the bound gives way to it") {
  CHECK(next_wait(1, RetryPolicy{2h, 2, 1h, 0}, kMiddle) == 1h);
}

TEST_CASE("retry: a wrong password costs at most 70 log-ins in a day, first round of mechanisms included") {
  constexpr int kFamilies = 4;  // SCRAM, a digest, PLAIN, LOGIN
  for (const double fraction : {kLeast, kMiddle, kMost}) {
    int log_ins = kFamilies;
    Duration passed{0};
    for (std::uint32_t pauses = 1; (passed += next_wait(pauses, kLogInPolicy, fraction)) < days(1); ++pauses)
      ++log_ins;
    CAPTURE(fraction);
    CHECK(log_ins <= 70);
    CHECK(log_ins >= 45);
  }
}

TEST_CASE("retry: between two looks at most an hour counts as waited") {
  const Instant start{hours(5)};
  CHECK(counted_wait(start, start + 10min) == 10min);
  CHECK(counted_wait(start, start + 100h) == 1h);
  CHECK(counted_wait(start, start) == 0s);
  CHECK(counted_wait(start, start - 1s) == 0s);
}

TEST_CASE("retry: a gap that a clock made counts at most an hour, a real one as it is") {
  const WallTime newest{days(20'000)};
  CHECK(counted_gap(newest, newest + 3min) == 3min);
  CHECK(counted_gap(newest, newest + days(2)) == days(2));
  CHECK(counted_gap(newest, newest + days(30)) == days(30));
  CHECK(counted_gap(newest, newest + days(30) + 1s) == 1h);
  CHECK(counted_gap(newest, newest - 1s) == 1h);
  CHECK(counted_gap(newest, WallTime{}) == 1h);
}

TEST_CASE("retry: mail expires when it has waited its lifetime") {
  CHECK_FALSE(has_expired(days(5) - 1s, days(5)));
  CHECK(has_expired(days(5), days(5)));
}

TEST_CASE("retry: a delay notice is due once, and never if it is off") {
  CHECK_FALSE(is_delay_notice_due(4h - 1s, 4h, false));
  CHECK(is_delay_notice_due(4h, 4h, false));
  CHECK_FALSE(is_delay_notice_due(9h, 4h, true));
  CHECK_FALSE(is_delay_notice_due(9h, 0s, false));
}
