// SPDX-License-Identifier: MIT
// How many messages may be sent to a smarthost now, or to how many recipients: its `rate`. No period of a unit's
// length has more than the rate says, whenever the provider's clock lets the period begin; only a mail to more
// recipients than that goes all the same, alone. Messages by the second and minute are spread evenly
// (TokenBucket); those by the hour and day, and recipients, are used as the mail comes (Quota). Pure but for the
// times passed in, which must never run backwards.
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

// Counts the messages sent, or their recipients. Those sent within a hundredth of the unit form one portion, which
// counts until the last of them is as old as the unit.
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
  // When so many, at most the whole rate, are available.
  Instant next(Instant now, std::uint64_t needed = 1) const;
  void take(Instant now, std::uint64_t count = 1);
  void give_back(Instant taken, std::uint64_t count = 1);

  // The portions that count, oldest first; some may count no longer.
  const std::deque<Portion>& used() const { return used_; }
  // Adds a portion; it must be newer than all others.
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
  // Sets other rates; messages that were sent still count.
  void configure(const std::vector<mail::Rate>& rates);

  // The number of messages that may be begun now.
  std::uint64_t available(Instant now) const;
  // When the next message may be begun; `now` if one may now.
  Instant next(Instant now) const;
  // Counts a message that is about to begin; false if it must not.
  bool take(Instant now);
  // The message for which take(taken) returned true was not tried.
  void give_back(Instant taken);
  // The same for the recipients of that message, once they are known. If they are too many for now, none may
  // be begun until so many are available.
  bool take_recipients(Instant now, std::uint64_t count);
  void give_back_recipients(Instant taken, std::uint64_t count);
  // Called, with what a quota has just counted, before take() or take_recipients() returns true.
  void set_on_count(std::function<void(std::uint64_t)> on_count) { on_count_ = std::move(on_count); }

  const std::vector<Quota>& quotas() const { return quotas_; }
  // Whether this one of quotas() is what the next message waits for.
  bool is_used_up(const Quota& quota, Instant now) const { return quota.available(now) < needed(quota); }
  // Adds a quota with what it had counted before a restart.
  void restore(Quota quota) { quotas_.push_back(std::move(quota)); }

 private:
  std::uint64_t needed(const Quota& quota) const;
  void count(mail::RateOf what, Instant now, std::uint64_t count);

  std::vector<TokenBucket> buckets_;
  std::vector<Quota> quotas_;
  std::uint64_t wanted_ = 1;  // recipients of the message that waits
  std::function<void(std::uint64_t)> on_count_;
};

}  // namespace hikyaku::smtpc
