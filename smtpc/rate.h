// SPDX-License-Identifier: MIT
// How many messages may go to a smarthost now: its `rate`. In no period of a unit's length are there more
// than the rate says, wherever the provider's clock lets the period begin. Seconds and minutes are spread
// evenly (TokenBucket); hours and days go as the mail comes (Quota). Pure but for the times that it is given,
// which never run backwards.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/mail/smarthost.h"

namespace hikyaku::smtpc {

// Tokens that come at an even pace; a full bucket holds what comes in a fiftieth of the unit, at least one.
// A fiftieth of the pace is given up for that, so that bucket and flow together never exceed the rate.
class TokenBucket {
 public:
  explicit TokenBucket(mail::Rate rate);
  const mail::Rate& rate() const { return rate_; }
  std::uint64_t available(Instant now) const;
  Instant next(Instant now) const;
  void take(Instant now);
  void give_back() { full_ -= interval_; }

 private:
  mail::Rate rate_;
  Duration slack_;     // the time that fills the bucket beyond its first token
  Duration interval_;  // between two tokens
  Instant full_{};     // when the bucket is full again
};

// Counts what has gone, and until when it counts. What goes within a hundredth of the unit is kept together
// and counts until the last of it is as old as the unit.
class Quota {
 public:
  struct Portion {
    Instant first;
    Instant last;
    std::uint64_t count = 0;
    bool operator==(const Portion&) const = default;
  };

  explicit Quota(mail::Rate rate) : rate_(rate) {}
  const mail::Rate& rate() const { return rate_; }
  void set_limit(std::uint32_t count) { rate_.count = count; }
  std::uint64_t available(Instant now) const;
  Instant next(Instant now) const;
  void take(Instant now);
  void give_back(Instant taken);

  // What counts, oldest first; perhaps also what no longer does.
  const std::deque<Portion>& used() const { return used_; }
  // After all that is there already.
  void restore(Portion portion) { used_.push_back(portion); }

 private:
  bool counts(const Portion& portion, Instant now) const { return portion.last + length(rate_.unit) > now; }
  std::uint64_t sum(Instant now) const;

  mail::Rate rate_;
  std::deque<Portion> used_;
};

class RateLimiter {
 public:
  static constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

  // Without a rate there is no limit.
  explicit RateLimiter(const std::vector<mail::Rate>& rates = {}) { configure(rates); }
  // Other rates; what has gone still counts.
  void configure(const std::vector<mail::Rate>& rates);

  // How many messages may be begun now.
  std::uint64_t available(Instant now) const;
  // When the next one may; `now` if one may now.
  Instant next(Instant now) const;
  // One message is about to begin. False: it must not.
  bool take(Instant now);
  // The message for which take(taken) said yes has not been tried.
  void give_back(Instant taken);
  // Called by take() before it says yes.
  void set_on_take(std::function<void()> on_take) { on_take_ = std::move(on_take); }

  const std::vector<Quota>& quotas() const { return quotas_; }
  // One with what it had counted before a restart.
  void restore(Quota quota) { quotas_.push_back(std::move(quota)); }

 private:
  std::vector<TokenBucket> buckets_;
  std::vector<Quota> quotas_;
  std::function<void()> on_take_;
};

}  // namespace hikyaku::smtpc
