// SPDX-License-Identifier: MIT
// When to retry: exponential backoff with jitter and a bound. And how waiting time is counted, so that no
// jump of a clock expires, stalls or bounces mail. Pure: time and randomness are arguments.
#pragma once

#include <cstdint>

#include "daemon/base/clock.h"
#include "daemon/base/defaults.h"

namespace hikyaku::mail {

struct RetryPolicy {
  Duration first = defaults::kFirstRetry;
  double factor = defaults::kRetryFactor;  // at least 1
  Duration max = defaults::kLongestRetry;  // the longest wait, jitter included
  double spread = 0.2;                     // jitter: up to this fraction more or less
  bool operator==(const RetryPolicy&) const = default;
};

// A paused lane: between two probes, and between two log-ins. Log-ins are rare because servers lock accounts:
// a wrong password causes at most 70 log-ins a day, over all connections and mechanisms.
inline constexpr RetryPolicy kProbePolicy{10s, 2, 5min, 0.2};
inline constexpr RetryPolicy kLogInPolicy{1min, 2, 30min, 0.05};
// Between two log-ins that the smarthost cannot verify at the moment (454).
inline constexpr RetryPolicy kBusyLogInPolicy{10s, 2, 30min, 0.05};
// After the account has used up its quota for the day.
inline constexpr RetryPolicy kQuotaPolicy{1h, 2, 2h, 0.05};
// Used once, before the other policies: the smarthost closed the connection amid work, probably to restart.
inline constexpr RetryPolicy kRestartPolicy{1600ms, 1, 2s, 0.2};
// The minimum between two probes with mails that have not been refused yet.
inline constexpr Duration kFreshMailWait = 500ms;

// The wait after `attempts` failed attempts (1: the first). Its middle is first * factor^(attempts - 1), at
// most max / (1 + spread); `fraction` in [0, 1) moves it evenly from -spread to +spread.
Duration next_wait(std::uint32_t attempts, const RetryPolicy& policy, double fraction);

inline constexpr Duration kWaitStep = 1h;

// How much of the steady time between two looks counts as waiting: between nothing and one step.
Duration counted_wait(Instant before, Instant now);
// How much of the wall time without a daemon counts, from the spool's newest record to the start.
// A gap that is negative (the clock was set back) or over 30 days (it was wrong) counts as one step.
Duration counted_gap(WallTime newest_record, WallTime start);

// Whether mail that has waited this long is given up at a refusal (4yz). Only a refusal after the lifetime
// ends mail; time during which the mail could not be refused does not.
bool has_expired(Duration waited, Duration lifetime);
// Whether a delay notice is due; `delay_notice` 0 means never.
bool is_delay_notice_due(Duration waited, Duration delay_notice, bool noticed);

}  // namespace hikyaku::mail
