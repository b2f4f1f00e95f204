// SPDX-License-Identifier: MIT
#include "daemon/mail/retry.h"

#include <algorithm>
#include <chrono>

namespace hikyaku::mail {

namespace {

using Seconds = std::chrono::duration<double>;

constexpr Duration kMaxGap = std::chrono::days(30);

// Multiplies step by step and stops at the bound, so that no number of attempts overflows.
Seconds middle(std::uint32_t attempts, const RetryPolicy& policy, Seconds bound) {
  Seconds wait = policy.first;
  for (std::uint32_t i = 1; i < attempts && wait < bound && policy.factor > 1; ++i) wait *= policy.factor;
  return std::min(wait, bound);
}

}  // namespace

Duration next_wait(std::uint32_t attempts, const RetryPolicy& policy, double fraction) {
  const Seconds bound = Seconds(policy.max) / (1 + policy.spread);
  const Seconds wait = middle(attempts, policy, bound) * (1 - policy.spread + 2 * policy.spread * fraction);
  return std::clamp(std::chrono::duration_cast<Duration>(wait), Duration(0), policy.max);
}

Duration counted_wait(Instant before, Instant now) {
  return now <= before ? Duration(0) : std::min(now - before, kWaitStep);
}

Duration counted_gap(WallTime newest_record, WallTime start) {
  const Duration gap = start - newest_record;
  return gap < Duration(0) || gap > kMaxGap ? kWaitStep : gap;
}

bool has_expired(Duration waited, Duration lifetime) { return waited >= lifetime; }

bool is_delay_notice_due(Duration waited, Duration delay_notice, bool noticed) {
  return !noticed && delay_notice > Duration(0) && waited >= delay_notice;
}

}  // namespace hikyaku::mail
