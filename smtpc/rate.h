// SPDX-License-Identifier: MIT
// How many messages may be sent to a smarthost now, or to how many recipients: its `rate`. No period of a unit's
// length has more than the rate says, whenever the provider's clock lets the period begin; only a mail to more
// recipients than that goes all the same, alone. Messages by the second and minute are spread evenly
// (TokenBucket); those by the hour and day, and recipients, are used as the mail comes (Quota). Of several daemons on one
// spool each has its part of what lasts for a minute at most, and an Allotment of what lasts longer. Pure but for the
// times passed in, which must never run backwards.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/mail/smarthost.h"

namespace hikyaku::smtpc {

// By the hour or day: its use is worth knowing after a restart, and elsewhere.
inline bool is_kept(const mail::Rate& rate) { return rate.unit >= mail::RateUnit::hour; }

// Tokens that come at an even pace; a full bucket holds what comes in a fiftieth of the unit, at least one.
// A fiftieth of the pace is given up for that, so that bucket and flow together never exceed the rate.
class TokenBucket {
 public:
  explicit TokenBucket(mail::Rate rate);
  // From now on so many use it up, each its part; where there are more of them than tokens, each has one in as many
  // units as it takes.
  void share(unsigned nodes);
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
  // What is used only later, up to `ahead` from now, counts as if it were used then; it is given back as taken then.
  void take(Instant now, std::uint64_t count = 1, Duration ahead = {});
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

// What this daemon may use of a quota that several use up together: whoever counts for all of them sets a little aside
// for it at a time, for a while.
class Allotment {
 public:
  explicit Allotment(mail::Rate rate) : rate_(rate) {}
  const mail::Rate& rate() const { return rate_; }
  void set_limit(std::uint32_t count) { rate_.count = count; }
  std::uint64_t available(Instant now) const {
    return now < until_ && left_ > 0 ? static_cast<std::uint64_t>(left_) : 0;
  }
  // When it is worth to look again while there is too little.
  Instant next(Instant now) const { return std::max(now + kLook, next_); }
  void take(std::uint64_t count) { left_ -= static_cast<std::int64_t>(count); }
  void give_back(Instant taken, std::uint64_t count) {
    if (taken >= since_) left_ += static_cast<std::int64_t>(count);
  }

  // Below 0: a mail had more recipients than there was room for.
  std::int64_t left() const { return left_; }
  Instant until() const { return until_; }
  // What is given back of what was taken before `since` is not ours to use any more.
  void grant(std::int64_t left, Instant since, Instant until) {
    left_ = left, since_ = since, until_ = until, next_ = {};
  }
  void wait_until(Instant next) { next_ = next; }

 private:
  static constexpr Duration kLook = 1s;  // for an answer that is under way

  mail::Rate rate_;
  std::int64_t left_ = 0;
  Instant since_{}, until_{}, next_{};
};

class RateLimiter {
 public:
  static constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

  // Who else uses the rates up.
  struct Sharing {
    unsigned nodes = 1;           // this daemon included
    bool is_counted_for = false;  // hourly and daily rates are counted for all of them: set_on_short()
  };

  // Without a rate there is no limit.
  explicit RateLimiter(const std::vector<mail::Rate>& rates = {}) { configure(rates); }
  // Sets other rates, or parts of them; messages that were sent still count.
  void configure(const std::vector<mail::Rate>& rates, Sharing sharing);
  void configure(const std::vector<mail::Rate>& rates) { configure(rates, Sharing()); }

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
  bool is_used_up(const Quota& quota, Instant now) const {
    return quota.available(now) < needed(quota.rate());
  }
  // Adds a quota with what it had counted before a restart.
  void restore(Quota quota) { quotas_.push_back(std::move(quota)); }

  std::vector<Allotment>& allotments() { return allotments_; }
  // What the next message needs of such a rate.
  std::uint64_t needed(const mail::Rate& rate) const;
  // Called when one of allotments() has been used, and whenever it is missed. Must not suspend.
  void set_on_short(std::function<void()> on_short) { on_short_ = std::move(on_short); }

 private:
  bool lacks(const Allotment& allotment, Instant now) const;
  bool is_short(Instant now) const;
  void count(mail::RateOf what, Instant now, std::uint64_t count);

  std::vector<TokenBucket> buckets_;
  std::vector<Quota> quotas_;
  std::vector<Allotment> allotments_;
  std::uint64_t wanted_ = 1;  // recipients of the message that waits
  std::function<void(std::uint64_t)> on_count_;
  std::function<void()> on_short_ = [] {};
};

}  // namespace hikyaku::smtpc
