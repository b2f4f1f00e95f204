// SPDX-License-Identifier: MIT
#include "daemon/relay/rates.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <ranges>
#include <utility>

#include "daemon/base/checksum.h"
#include "daemon/base/text.h"
#include "daemon/system/files.h"

namespace hikyaku::relay {
namespace {

constexpr std::uint64_t kReservedPart = 100;
constexpr Duration kMaxDowntime = std::chrono::days(30);

// A quota is the account's: another host or user under the same name begins anew, another password does not.
std::uint64_t mark_of(const mail::Smarthost& smarthost) {
  const std::string host = smarthost.direct ? "" : smarthost.host;  // all destinations share one
  return checksum(cat(smarthost.name, "\n", host, "\n", mail::account_of(smarthost)), 0);
}

bool is_kept(const smtpc::Quota& quota) { return smtpc::is_kept(quota.rate()); }

std::uint64_t reserve_of(const smtpc::RateLimiter& limiter) {
  std::uint64_t least = mail::kMaxRate;
  for (const smtpc::Quota& quota : limiter.quotas() | std::views::filter(is_kept))
    least = std::min<std::uint64_t>(least, quota.rate().count / kReservedPart);
  return least;
}

const smtpc::Quota* find_used_up(const smtpc::RateLimiter& limiter, Instant now) {
  auto quota = std::ranges::find_if(
      limiter.quotas(), [&](const auto& each) { return is_kept(each) && limiter.is_used_up(each, now); });
  return quota == limiter.quotas().end() ? nullptr : &*quota;
}

}  // namespace

std::string boot_id() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string id;
  return in >> id ? id : "-";
}

Rates::Rates(std::string file, const Clock& clock, log::MailLog& log, std::string boot, SharedQuotas* shared)
    : file_(std::move(file)),
      clock_(clock),
      log_(log),
      boot_(std::move(boot)),
      shared_(shared),
      sharing_{.is_counted_for = shared != nullptr} {
  if (!file_.empty()) load();
}

void Rates::load() {
  std::ifstream in(file_);
  if (!in) return;
  is_there_ = true;
  auto file = parse_rate_file(std::string(std::istreambuf_iterator<char>(in), {}));
  if (!file)
    return log_.warning(cat(file_, ": cannot be parsed; hourly and daily rates are counted from zero"));
  for (const RateRecord& record : file->records) adopt(record, downtime(*file));
}

// While we run only the steady clock counts, so that no jump of the wall clock is noticed; nor over a
// restart, because as long as the machine is up its steady clock goes on. Over a start of the machine there
// is the wall clock alone. A time that cannot be right then counts as none: what has gone counts for an hour
// or a day longer at most, and is not forgotten.
Duration Rates::downtime(const RateFile& file) const {
  const Instant now = clock_.now();
  if (boot_ != "-" && file.boot == boot_ && now >= file.steady) return now - file.steady;
  const Duration by_wall = clock_.wall() - file.wall;
  return by_wall < Duration(0) || by_wall > kMaxDowntime ? Duration(0) : by_wall;
}

// Whether and when the reserved messages were sent is unknown: they count from now.
void Rates::adopt(const RateRecord& record, Duration downtime) {
  const Instant now = clock_.now();
  smtpc::Quota quota(record.rate);
  for (const UsedPortion& portion : record.used) {
    const Instant when = now - downtime - portion.age;
    quota.restore({when, when, portion.count});
  }
  if (record.reserved > 0) quota.restore({now, now, record.reserved});
  accounts_[record.account].limiter->restore(std::move(quota));
}

Rates::Account& Rates::account(const mail::Smarthost& smarthost) {
  const std::uint64_t mark = mark_of(smarthost);
  Account& account = accounts_[mark];
  if (!std::exchange(account.name, smarthost.name).empty()) return account;
  account.limiter->set_on_count([this, &account](std::uint64_t count) { counted(account, count); });
  if (shared_ != nullptr) shared_->serve(mark, account.name, account.limiter);
  return account;
}

std::shared_ptr<smtpc::RateLimiter> Rates::limiter(const mail::Smarthost& smarthost) {
  return account(smarthost).limiter;
}

void Rates::configure(const std::vector<mail::Smarthost>& smarthosts) {
  for (const mail::Smarthost& smarthost : smarthosts) {
    Account& changed = account(smarthost);
    changed.rates = smarthost.rates;
    changed.limiter->configure(changed.rates, sharing_);
    changed.reserved = 0;  // the file knows nothing of a new quota
    changed.told.reset();
  }
}

void Rates::set_nodes(unsigned nodes) {
  sharing_.nodes = nodes;
  for (auto& [mark, account] : accounts_) account.limiter->configure(account.rates, sharing_);
}

void Rates::counted(Account& account, std::uint64_t count) {
  if (std::ranges::none_of(account.limiter->quotas(), is_kept)) return;
  if (account.reserved >= count) {
    account.reserved -= count;
  } else {
    account.reserved = reserve_of(*account.limiter);
    save();
  }
  tell(account);
}

// At most once in the quota's unit: at its limit, a little becomes free and is used up again all the time.
void Rates::tell(Account& account) {
  const Instant now = clock_.now();
  const smtpc::Quota* quota = find_used_up(*account.limiter, now);
  if (quota == nullptr || (account.told && now < *account.told + length(quota->rate().unit))) return;
  account.told = now;
  log_.warning(used_up(*quota), {{"smarthost", account.name}});
}

std::string Rates::used_up(const smtpc::Quota& quota) const {
  const Instant now = clock_.now();
  return cat("the rate ", mail::to_text(quota.rate()), " is used up; mail waits until ",
             to_rfc3339(clock_.wall() + (quota.next(now) - now)));
}

std::string Rates::used_up(const mail::Smarthost& smarthost) const {
  auto found = accounts_.find(mark_of(smarthost));
  if (found == accounts_.end()) return {};
  if (shared_ != nullptr) return shared_->used_up(*found->second.limiter);
  const smtpc::Quota* quota = find_used_up(*found->second.limiter, clock_.now());
  return quota == nullptr ? "" : used_up(*quota);
}

std::optional<double> Rates::used(const mail::Smarthost& smarthost) const {
  std::optional<double> most;
  auto found = accounts_.find(mark_of(smarthost));
  if (found == accounts_.end()) return most;
  if (shared_ != nullptr) most = shared_->used(*found->second.limiter);
  for (const smtpc::Quota& quota : found->second.limiter->quotas()) {
    const auto all = static_cast<double>(std::max<std::uint32_t>(quota.rate().count, 1));
    most = std::max(most.value_or(0), 1 - static_cast<double>(quota.available(clock_.now())) / all);
  }
  return most;
}

RateRecord Rates::record(std::uint64_t account, const smtpc::Quota& quota, std::uint64_t reserved) const {
  const Instant now = clock_.now();
  RateRecord record{.account = account, .rate = quota.rate(), .reserved = reserved, .used = {}};
  for (const auto& portion : quota.used())
    if (portion.count > 0 && now - portion.last < length(quota.rate().unit))
      record.used.push_back({now - portion.last, portion.count});
  return record;
}

void Rates::save() {
  RateFile file{.boot = boot_, .steady = clock_.now(), .wall = clock_.wall(), .records = {}};
  for (const auto& [mark, account] : accounts_) {
    for (const smtpc::Quota& quota : account.limiter->quotas() | std::views::filter(is_kept)) {
      RateRecord found = record(mark, quota, account.reserved);
      if (!found.used.empty()) file.records.push_back(std::move(found));
    }
  }
  if (file_.empty() || (file.records.empty() && !is_there_)) return;
  auto saved = system::replace_file(file_, to_text(file));
  is_there_ = is_there_ || saved;
  if (!saved && std::exchange(could_save_, false))
    log_.warning(
        cat(saved.error().text, "; after a restart hourly and daily rates would be counted from zero"));
  could_save_ = saved.has_value();
}

void Rates::close() {
  for (auto& [mark, account] : accounts_) account.reserved = 0;
  save();
}

}  // namespace hikyaku::relay
