// SPDX-License-Identifier: MIT
#include "daemon/relay/shared_quotas.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::relay {
namespace {

constexpr int kParts = 100;
constexpr Duration kAway = 5s;  // between two tries while the accounts cannot be reached
constexpr Duration kLongestWait =
    1min;  // what others give back may be had before a portion is as old as the unit
constexpr std::string_view kFormatLine = "quota 1";

Duration lifetime(const mail::Rate& rate) { return length(rate.unit) / kParts; }
std::uint64_t part_of(const mail::Rate& rate) { return std::max<std::uint64_t>(1, rate.count / kParts); }
Instant as_instant(WallTime time) { return Instant(time.time_since_epoch()); }

// The same whatever the rate's number: what has gone still counts after a change.
std::string account_name(std::uint64_t mark, const mail::Rate& rate) {
  return cat("quota ", std::to_string(mark), " ", mail::kRateUnits.at(static_cast<std::size_t>(rate.unit)),
             rate.of == mail::RateOf::recipients ? " recipients" : "");
}

std::optional<Instant> parse_time(std::string_view digits) {
  const auto number = parse_number(digits);
  if (!number || *number > static_cast<std::uint64_t>(Duration::max().count() / 4)) return std::nullopt;
  return Instant(Duration(static_cast<Duration::rep>(*number)));
}

}  // namespace

std::string to_text(const smtpc::Quota& used) {
  std::string text = cat(kFormatLine, "\n");
  for (const auto& portion : used.used())
    if (portion.count > 0)
      text += cat(std::to_string(portion.first.time_since_epoch().count()), " ",
                  std::to_string(portion.last.time_since_epoch().count()), " ", std::to_string(portion.count),
                  "\n");
  return text;
}

std::optional<smtpc::Quota> parse_quota(std::string_view text, const mail::Rate& rate) {
  if (!text.starts_with(cat(kFormatLine, "\n")) || !text.ends_with('\n')) return std::nullopt;
  smtpc::Quota quota(rate);
  const auto lines = split(text.substr(0, text.size() - 1), '\n');
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto line = words(lines[i]);
    if (line.size() != 3) return std::nullopt;
    const auto first = parse_time(line[0]), last = parse_time(line[1]);
    const auto count = parse_number(line[2]);
    if (!first || !last || !count || *count > mail::kMaxRate) return std::nullopt;
    quota.restore({*first, *last, *count});
  }
  return quota;
}

struct SharedQuotas::Pot {
  Pot(io::Loop& loop, std::string account, std::string its_smarthost,
      std::shared_ptr<smtpc::RateLimiter> its_limiter, const mail::Rate& rate)
      : name(std::move(account)),
        smarthost(std::move(its_smarthost)),
        limiter(std::move(its_limiter)),
        unit(rate.unit),
        of(rate.of),
        changed(loop) {}

  // Null: the rate is not configured any more.
  smtpc::Allotment* mine() const {
    auto& all = limiter->allotments();
    auto found = std::ranges::find_if(
        all, [this](const auto& each) { return each.rate().unit == unit && each.rate().of == of; });
    return found == all.end() ? nullptr : &*found;
  }

  const std::string name, smarthost;
  const std::shared_ptr<smtpc::RateLimiter> limiter;
  const mail::RateUnit unit;
  const mail::RateOf of;
  io::Event changed;
  bool is_wanted = false;
  Instant next_try{};
  std::optional<Instant> portion{};  // where what is set aside counts, by the accounts' clock
  // As of the latest exchange: what all have used, by the accounts' clock, and how far that is ahead of ours.
  std::optional<smtpc::Quota> used{};
  Duration ahead{0};
  std::optional<Instant> free_at{};  // it was used up, until then
  std::string away{};                // why the accounts could not be reached
  std::optional<Instant> told{};
};

struct SharedQuotas::Deal {
  smtpc::Quota used;
  Instant now;                // by the accounts' clock
  std::int64_t left = 0;      // to this daemon, when the deal was made
  std::int64_t held = 0;      // of that what goes back; below 0: was used beyond
  std::uint64_t granted = 0;  // instead of that
  std::uint64_t needed = 0;   // 0: it is enough
  bool changes_nothing() const { return held == 0 && granted == 0; }
};

SharedQuotas::SharedQuotas(io::Loop& loop, mail::SharedAccounts& accounts, log::MailLog& log,
                           std::function<void()> on_more)
    : loop_(loop), accounts_(accounts), log_(log), on_more_(std::move(on_more)), nursery_(loop) {}

SharedQuotas::~SharedQuotas() = default;

void SharedQuotas::serve(std::uint64_t mark, const std::string& smarthost,
                         std::shared_ptr<smtpc::RateLimiter> limiter) {
  smtpc::RateLimiter& served = *limiter;
  served.set_on_short([this, mark, smarthost, weak = std::weak_ptr(limiter)] {
    if (auto there = weak.lock()) look(mark, smarthost, there);
  });
}

// Of a hundredth that is half used the next one is asked for.
void SharedQuotas::look(std::uint64_t mark, const std::string& smarthost,
                        const std::shared_ptr<smtpc::RateLimiter>& limiter) {
  const Instant now = loop_.now();
  for (const smtpc::Allotment& each : limiter->allotments()) {
    const std::uint64_t enough = std::max(limiter->needed(each.rate()), (part_of(each.rate()) + 1) / 2);
    if (each.available(now) >= enough) continue;
    Pot& wanting = pot(mark, smarthost, limiter, each.rate());
    if (now < wanting.next_try || std::exchange(wanting.is_wanted, true)) continue;
    wanting.changed.notify();
  }
}

SharedQuotas::Pot& SharedQuotas::pot(std::uint64_t mark, const std::string& smarthost,
                                     const std::shared_ptr<smtpc::RateLimiter>& limiter,
                                     const mail::Rate& rate) {
  const std::string name = account_name(mark, rate);
  auto found = std::ranges::find(pots_, name, [](const auto& each) { return each->name; });
  if (found != pots_.end()) return **found;
  pots_.push_back(std::make_unique<Pot>(loop_, name, smarthost, limiter, rate));
  nursery_.spawn(keep(*pots_.back()));
  return *pots_.back();
}

// At the end of its life what is set aside goes back; so it does at the end of ours.
Task<void> SharedQuotas::keep(Pot& pot) {
  while (!stopping_.is_requested()) {
    const smtpc::Allotment* mine = pot.mine();
    const Instant over = mine != nullptr && pot.portion ? std::max(mine->until(), pot.next_try) : kNever;
    if (mine != nullptr && (pot.is_wanted || loop_.now() >= over)) {
      const bool wants = std::exchange(pot.is_wanted, false);
      co_await exchange(pot, wants);
      continue;
    }
    co_await pot.changed.wait({over, &stopping_});
  }
  if (pot.portion) co_await exchange(pot, false);
}

Task<void> SharedQuotas::stop() {
  stopping_.request();
  co_await nursery_.drained({});
}

Task<void> SharedQuotas::exchange(Pot& pot, bool wants) {
  for (;;) {
    const Instant begun = loop_.now();
    auto account = co_await accounts_.get(pot.name);
    if (!account) co_return be_away(pot, account.error());
    const smtpc::Allotment* mine = pot.mine();
    if (mine == nullptr) co_return;
    const Deal made = deal(pot, *mine, *account, wants);
    if (made.changes_nothing()) co_return settle(pot, made, begun);
    auto put = co_await accounts_.put(pot.name, account->version, to_text(made.used));
    if (!put) co_return be_away(pot, put.error());
    if (*put) co_return settle(pot, made, begun);
  }
}

// What is left goes back first. If there is not enough for all that is needed, what was left is set aside once more.
SharedQuotas::Deal SharedQuotas::deal(const Pot& pot, const smtpc::Allotment& mine,
                                      const mail::Account& account, bool wants) const {
  const mail::Rate& rate = mine.rate();
  Deal deal{.used = parse_quota(account.state, rate).value_or(smtpc::Quota(rate)),
            .now = as_instant(account.now),
            .left = mine.left(),
            .held = pot.portion ? mine.left() : std::min<std::int64_t>(0, mine.left())};
  if (deal.held > 0) deal.used.give_back(*pot.portion, static_cast<std::uint64_t>(deal.held));
  if (deal.held < 0) deal.used.take(deal.now, static_cast<std::uint64_t>(-deal.held));
  if (!wants) return deal;
  const std::uint64_t needed = pot.limiter->needed(rate), there = deal.used.available(deal.now);
  const bool is_enough = there >= needed;
  if (!is_enough) deal.needed = needed;
  const auto wanted = is_enough ? std::max(part_of(rate), needed)
                                : static_cast<std::uint64_t>(std::max<std::int64_t>(0, deal.held));
  deal.granted = std::min(wanted, there);
  if (deal.granted > 0) deal.used.take(deal.now, deal.granted, lifetime(rate));
  return deal;
}

// What was used while the exchange was under way is part of what is granted now.
void SharedQuotas::settle(Pot& pot, const Deal& deal, Instant begun) {
  smtpc::Allotment* mine = pot.mine();
  if (mine == nullptr) return;
  const Duration life = lifetime(mine->rate());
  const std::int64_t left = static_cast<std::int64_t>(deal.granted) - (deal.left - mine->left());
  mine->grant(left, begun, deal.granted > 0 ? begun + life : Instant());
  pot.portion = deal.granted > 0 ? std::optional(deal.now + life) : std::nullopt;
  pot.used = deal.used;
  pot.ahead = deal.now - begun;
  pot.away.clear();
  pot.free_at.reset();
  pot.next_try = {};
  if (deal.needed > 0) {
    pot.free_at = deal.used.next(deal.now, deal.needed) - pot.ahead;
    pot.next_try = std::min(*pot.free_at, loop_.now() + std::min(life, kLongestWait));
    mine->wait_until(pot.next_try);
    tell(pot);
  } else if (deal.granted > 0) {
    on_more_();
  }
}

// Of what may have been given back nothing is given back again: it counts until it is as old as the unit.
void SharedQuotas::be_away(Pot& pot, const mail::AccountsError& error) {
  if (error.kind == mail::AccountsErrorKind::unknown) pot.portion.reset();
  pot.away = error.text;
  pot.next_try = loop_.now() + kAway;
  if (smtpc::Allotment* mine = pot.mine()) mine->wait_until(pot.next_try);
  tell(pot);
}

// At most once in the rate's unit.
void SharedQuotas::tell(Pot& pot) {
  const Instant now = loop_.now();
  if (!misses(pot) || (pot.told && now < *pot.told + length(pot.unit))) return;
  pot.told = now;
  log_.warning(in_words(pot), {{"smarthost", pot.smarthost}});
}

bool SharedQuotas::misses(const Pot& pot) const {
  const smtpc::Allotment* mine = pot.mine();
  const Instant now = loop_.now();
  if (mine == nullptr || mine->available(now) >= pot.limiter->needed(mine->rate())) return false;
  return !pot.away.empty() || (pot.free_at && now < *pot.free_at);
}

std::string SharedQuotas::in_words(const Pot& pot) const {
  const smtpc::Allotment* mine = pot.mine();
  const std::string rate = cat("the rate ", mail::to_text(mine->rate()));
  if (!pot.away.empty())
    return cat(
        rate,
        " is counted in the spool's database for all nodes, and what this one had set aside is used up: ",
        pot.away, "; mail waits until the database answers");
  return cat(rate, " is used up by all nodes together; mail waits until ",
             to_rfc3339(loop_.clock().wall() + (*pot.free_at - loop_.now())));
}

std::string SharedQuotas::used_up(const smtpc::RateLimiter& limiter) const {
  auto found = std::ranges::find_if(
      pots_, [&](const auto& each) { return each->limiter.get() == &limiter && misses(*each); });
  return found == pots_.end() ? "" : in_words(**found);
}

std::optional<double> SharedQuotas::used(const smtpc::RateLimiter& limiter) const {
  std::optional<double> most;
  for (const auto& pot : pots_) {
    const smtpc::Allotment* mine = pot->limiter.get() == &limiter && pot->used ? pot->mine() : nullptr;
    if (mine == nullptr) continue;
    const Instant now = loop_.now();
    const auto left = pot->used->available(now + pot->ahead) + mine->available(now);
    most =
        std::max(most.value_or(0), 1 - static_cast<double>(left) / static_cast<double>(mine->rate().count));
  }
  return most;
}

}  // namespace hikyaku::relay
