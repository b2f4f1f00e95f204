// SPDX-License-Identifier: MIT
#include "smtpc/rate.h"

#include <algorithm>
#include <ranges>

namespace hikyaku::smtpc {
namespace {

constexpr int kSlackParts = 50;
constexpr int kPortions = 100;

Duration rounded_up(Duration all, std::uint32_t parts) { return Duration((all.count() + parts - 1) / parts); }

bool is_spread(const mail::Rate& rate) {
  return rate.of == mail::RateOf::messages && rate.unit <= mail::RateUnit::minute;
}

// One for the same unit, with what it has counted; or a new one.
template <class Counter>
Counter known(const std::vector<Counter>& counters, const mail::Rate& rate) {
  auto found = std::ranges::find_if(
      counters, [&](const Counter& c) { return c.rate().unit == rate.unit && c.rate().of == rate.of; });
  return found != counters.end() ? *found : Counter(rate);
}

}  // namespace

// With n messages a unit U, slack s and interval i >= (U + s) / n: the k-th message of a period that begins
// with a message at t leaves no sooner than t + (k - 1) i - s, so within U there are at most n.
TokenBucket::TokenBucket(mail::Rate rate)
    : rate_(rate),
      slack_(length(rate.unit) / kSlackParts),
      interval_(rounded_up(length(rate.unit) + slack_, rate.count)) {}

void TokenBucket::share(unsigned nodes) {
  const Duration unit = length(rate_.unit) + slack_;
  const std::uint32_t part = rate_.count / nodes;
  interval_ = part > 0 ? rounded_up(unit, part) : unit * ((nodes + rate_.count - 1) / rate_.count);
}

std::uint64_t TokenBucket::available(Instant now) const {
  const Duration left = now + slack_ - std::max(full_, now);
  return left < Duration(0) ? 0 : static_cast<std::uint64_t>(left / interval_) + 1;
}

Instant TokenBucket::next(Instant now) const { return std::max(now, std::max(full_, now) - slack_); }

void TokenBucket::take(Instant now) { full_ = std::max(full_, now) + interval_; }

std::uint64_t Quota::sum(Instant now) const {
  std::uint64_t sum = 0;
  for (const Portion& portion : used_)
    if (counts(portion, now)) sum += portion.count;
  return sum;
}

std::uint64_t Quota::available(Instant now) const {
  const std::uint64_t used = sum(now);
  return used < rate_.count ? rate_.count - used : 0;
}

Instant Quota::next(Instant now, std::uint64_t needed) const {
  std::uint64_t used = sum(now);
  Instant next = now;
  for (auto portion = used_.begin(); used + needed > rate_.count && portion != used_.end(); ++portion) {
    if (!counts(*portion, now) || portion->count == 0) continue;
    used -= portion->count;
    next = portion->last + length(rate_.unit);
  }
  return next;
}

void Quota::take(Instant now, std::uint64_t count, Duration ahead) {
  while (!used_.empty() && !counts(used_.front(), now)) used_.pop_front();
  const Instant when = now + ahead;
  if (used_.empty() || used_.back().first + length(rate_.unit) / kPortions <= when)
    used_.push_back({when, when, 0});
  used_.back().last = std::max(used_.back().last, when);
  used_.back().count += count;
}

void Quota::give_back(Instant taken, std::uint64_t count) {
  auto portion =
      std::ranges::find_if(used_ | std::views::reverse, [&](const Portion& p) { return p.first <= taken; });
  if (portion != used_.rend() && portion->last >= taken) portion->count -= std::min(portion->count, count);
}

void RateLimiter::configure(const std::vector<mail::Rate>& rates, Sharing sharing) {
  std::vector<TokenBucket> buckets;
  std::vector<Quota> quotas;
  std::vector<Allotment> allotments;
  const unsigned nodes = std::max(1U, sharing.nodes);
  for (const mail::Rate& rate : rates) {
    if (is_spread(rate)) {
      auto bucket = std::ranges::find(buckets_, rate, &TokenBucket::rate);
      buckets.push_back(bucket != buckets_.end() ? *bucket : TokenBucket(rate));
      buckets.back().share(nodes);
    } else if (is_kept(rate) && sharing.is_counted_for) {
      allotments.push_back(known(allotments_, rate));
      allotments.back().set_limit(rate.count);
    } else {
      quotas.push_back(known(quotas_, rate));
      quotas.back().set_limit(is_kept(rate) ? rate.count : std::max(1U, rate.count / nodes));
    }
  }
  buckets_ = std::move(buckets);
  quotas_ = std::move(quotas);
  allotments_ = std::move(allotments);
}

std::uint64_t RateLimiter::available(Instant now) const {
  std::uint64_t least = kUnlimited;
  for (const TokenBucket& bucket : buckets_) least = std::min(least, bucket.available(now));
  for (const Quota& quota : quotas_)
    least = std::min(least, is_used_up(quota, now) ? 0 : quota.available(now));
  if (is_short(now)) return 0;
  for (const Allotment& allotment : allotments_) least = std::min(least, allotment.available(now));
  return least;
}

// Asks for more, too.
bool RateLimiter::lacks(const Allotment& allotment, Instant now) const {
  if (allotment.available(now) >= needed(allotment.rate())) return false;
  on_short_();
  return true;
}

bool RateLimiter::is_short(Instant now) const {
  return std::ranges::any_of(allotments_, [&](const Allotment& each) { return lacks(each, now); });
}

Instant RateLimiter::next(Instant now) const {
  Instant next = now;
  for (const TokenBucket& bucket : buckets_) next = std::max(next, bucket.next(now));
  for (const Quota& quota : quotas_) next = std::max(next, quota.next(now, needed(quota.rate())));
  for (const Allotment& allotment : allotments_)
    if (lacks(allotment, now)) next = std::max(next, allotment.next(now));
  return next;
}

bool RateLimiter::take(Instant now) {
  if (available(now) == 0) return false;
  for (TokenBucket& bucket : buckets_) bucket.take(now);
  count(mail::RateOf::messages, now, 1);
  return true;
}

bool RateLimiter::take_recipients(Instant now, std::uint64_t count) {
  wanted_ = count;
  for (const Quota& quota : quotas_)
    if (quota.rate().of == mail::RateOf::recipients && is_used_up(quota, now)) return false;
  for (const Allotment& allotment : allotments_)
    if (allotment.rate().of == mail::RateOf::recipients && lacks(allotment, now)) return false;
  wanted_ = 1;
  this->count(mail::RateOf::recipients, now, count);
  return true;
}

// Of a mail to more recipients than the rate allows, the whole rate.
std::uint64_t RateLimiter::needed(const mail::Rate& rate) const {
  return rate.of == mail::RateOf::recipients ? std::min<std::uint64_t>(wanted_, rate.count) : 1;
}

void RateLimiter::count(mail::RateOf what, Instant now, std::uint64_t count) {
  bool is_counted = false;
  for (Quota& quota : quotas_) {
    if (quota.rate().of != what) continue;
    quota.take(now, count);
    is_counted = true;
  }
  if (is_counted && on_count_) on_count_(count);
  bool is_used = false;
  for (Allotment& allotment : allotments_) {
    if (allotment.rate().of != what) continue;
    allotment.take(count);
    is_used = true;
  }
  if (is_used) on_short_();
}

void RateLimiter::give_back(Instant taken) {
  for (TokenBucket& bucket : buckets_) bucket.give_back();
  for (Quota& quota : quotas_)
    if (quota.rate().of == mail::RateOf::messages) quota.give_back(taken);
  for (Allotment& allotment : allotments_)
    if (allotment.rate().of == mail::RateOf::messages) allotment.give_back(taken, 1);
}

void RateLimiter::give_back_recipients(Instant taken, std::uint64_t count) {
  for (Quota& quota : quotas_)
    if (quota.rate().of == mail::RateOf::recipients) quota.give_back(taken, count);
  for (Allotment& allotment : allotments_)
    if (allotment.rate().of == mail::RateOf::recipients) allotment.give_back(taken, count);
}

}  // namespace hikyaku::smtpc
