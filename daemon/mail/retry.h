// SPDX-License-Identifier: MIT
// When to try again: exponential, jittered, bounded; and how waiting time is counted so that no jump of a
// clock expires, stalls or bounces anything. Pure arithmetic: no clock, no chance; both are arguments.
#pragma once

#include <cstdint>

#include "daemon/base/clock.h"
#include "daemon/base/defaults.h"

namespace hikyaku::mail {

struct RetryPolicy {
  Duration first = defaults::kFirstRetry;
  double factor = defaults::kRetryFactor;  // at least 1
  Duration max = defaults::kLongestRetry;  // never waited longer, jitter included
  double spread = 0.2;                     // jitter: up to this part more or less than the middle
  bool operator==(const RetryPolicy&) const = default;
};

// A paused lane: between two probing connections, and between two log-ins. The latter are few because servers
// lock accounts: a wrong password costs at most 70 log-ins a day, all connections and mechanisms together.
inline constexpr RetryPolicy kProbePolicy{10s, 2, 5min, 0.2};
inline constexpr RetryPolicy kLogInPolicy{1min, 2, 30min, 0.05};
// Log-ins that the smarthost cannot judge at the moment (454).
inline constexpr RetryPolicy kBusyLogInPolicy{10s, 2, 30min, 0.05};
// The account has sent as much as it may today.
inline constexpr RetryPolicy kQuotaPolicy{1h, 2, 2h, 0.05};
// Once, before the others: the smarthost broke off amid work, as it does when it restarts.
inline constexpr RetryPolicy kRestartPolicy{1600ms, 1, 2s, 0.2};
// At least between two probes with mails that have not been refused yet.
inline constexpr Duration kFreshMailWait = 500ms;

// The wait after `attempts` failed ones (1 is the first). The middle is first * factor^(attempts - 1), at
// most max / (1 + spread); `fraction` in [0, 1) moves it evenly from -spread to +spread.
Duration next_wait(std::uint32_t attempts, const RetryPolicy& policy, double fraction);

inline constexpr Duration kWaitStep = 1h;

// What of the steady time between two looks counts as waited: at most one step, at least nothing.
Duration counted_wait(Instant before, Instant now);
// What of the wall time that passed while no daemon ran counts, from the spool's newest record to the start.
// A gap that is negative (the clock was set back) or longer than 30 days (it was wrong) counts one step.
Duration counted_gap(WallTime newest_record, WallTime start);

// Whether mail that has waited so long may be given up now. Only if it has been refused (4yz about it) after
// its lifetime ended: time during which nobody could refuse it does not end it.
bool has_expired(Duration waited, Duration lifetime);
// Whether a delay notice is due; `delay_notice` 0 is never.
bool is_delay_notice_due(Duration waited, Duration delay_notice, bool noticed);

}  // namespace hikyaku::mail
