// SPDX-License-Identifier: MIT
// The rates of all smarthosts over reloads and restarts. The use of hourly and daily rates is kept in a small
// file of the spool. The file is always ahead: it reserves a hundredth of the quota and is written again
// before that is used up, so that a crash costs at most that hundredth and never lets too many messages be
// sent. Where several daemons share the spool, they share these counts too (shared_quotas.h), and each has its part of the
// rates by the second and minute. The loop's thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/log/mail_log.h"
#include "daemon/mail/smarthost.h"
#include "daemon/relay/rate_file.h"
#include "daemon/relay/shared_quotas.h"
#include "smtpc/rate.h"

namespace hikyaku::relay {

// Identifies this start of the machine; "-" if unknown.
std::string boot_id();

class Rates {
 public:
  // Reads the file; with an empty name nothing is kept. Blocks. Clock and log outlive the object.
  // `shared`: counts for all daemons, instead of the file; null: there is no other one.
  Rates(std::string file, const Clock& clock, log::MailLog& log, std::string boot = boot_id(),
        SharedQuotas* shared = nullptr);
  Rates(const Rates&) = delete;

  // The limiter for the smarthost's lane: always the same for the same account there, and for all recipients'
  // own servers. Uses the rates of the last configure(). Counting blocks now and then for a small write. Must
  // not be used after this object's end.
  std::shared_ptr<smtpc::RateLimiter> limiter(const mail::Smarthost& smarthost);
  void configure(const std::vector<mail::Smarthost>& smarthosts);
  // So many daemons share the rates from now on.
  void set_nodes(unsigned nodes);
  // A sentence about the quota that is used up, and until when. Empty if none is.
  std::string used_up(const mail::Smarthost& smarthost) const;
  // The part that is used up, 0 to 1, of the quota by the hour or day, or by recipients, that has the least left; nullopt:
  // there is no such quota.
  std::optional<double> used(const mail::Smarthost& smarthost) const;
  // To be called at the end, when no mail is under way: writes the true counts. Blocks.
  void close();

 private:
  struct Account {
    std::shared_ptr<smtpc::RateLimiter> limiter = std::make_shared<smtpc::RateLimiter>();
    std::string name;  // of its smarthost
    std::vector<mail::Rate> rates;
    std::uint64_t reserved = 0;  // how much may be sent before the file must be written
    std::optional<Instant> told;
  };

  Account& account(const mail::Smarthost& smarthost);
  void load();
  Duration downtime(const RateFile& file) const;
  void adopt(const RateRecord& record, Duration downtime);
  void counted(Account& account, std::uint64_t count);
  void tell(Account& account);
  std::string used_up(const smtpc::Quota& quota) const;
  void save();
  RateRecord record(std::uint64_t account, const smtpc::Quota& quota, std::uint64_t reserved) const;

  std::string file_;
  const Clock& clock_;
  log::MailLog& log_;
  std::string boot_;
  SharedQuotas* shared_;
  smtpc::RateLimiter::Sharing sharing_;
  std::map<std::uint64_t, Account> accounts_;
  bool is_there_ = false;  // the file
  bool could_save_ = true;
};

}  // namespace hikyaku::relay
