// SPDX-License-Identifier: MIT
// The rates of all smarthosts over reloads and restarts. What has gone by the hour and by the day is kept in
// a small file of the spool. The file is always ahead of the truth: it reserves a hundredth of the quota and
// is written again before that is used up, so that a crash costs at most that hundredth and never lets too
// many messages go. The loop's thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/log/mail_log.h"
#include "daemon/mail/smarthost.h"
#include "daemon/relay/rate_file.h"
#include "smtpc/rate.h"

namespace hikyaku::relay {

// Another one after each start of the machine; "-" where it is not known.
std::string boot_id();

class Rates {
 public:
  // Reads the file; empty: nothing outlives us. Blocks. Clock and log outlive it.
  Rates(std::string file, const Clock& clock, log::MailLog& log, std::string boot = boot_id());
  Rates(const Rates&) = delete;

  // For the smarthost's lane: always the same one for the same account there. Uses the rates of the last
  // configure(). Takes from it block now and then for a small write. Not to be used after this object's end.
  std::shared_ptr<smtpc::RateLimiter> limiter(const mail::Smarthost& smarthost);
  void configure(const std::vector<mail::Smarthost>& smarthosts);
  // The quota that lets nothing go now, and until when: for people. Empty: there is none.
  std::string used_up(const mail::Smarthost& smarthost) const;
  // At the end, when nothing is under way: writes down what has really gone. Blocks.
  void close();

 private:
  struct Account {
    std::shared_ptr<smtpc::RateLimiter> limiter = std::make_shared<smtpc::RateLimiter>();
    std::string name;            // of its smarthost
    std::uint64_t reserved = 0;  // so many may go before the file must be written
    std::optional<Instant> told;
  };

  Account& account(const mail::Smarthost& smarthost);
  void load();
  Duration downtime(const RateFile& file) const;
  void adopt(const RateRecord& record, Duration downtime);
  void taken(Account& account);
  void tell(Account& account);
  std::string used_up(const smtpc::Quota& quota) const;
  void save();
  RateRecord record(std::uint64_t account, const smtpc::Quota& quota, std::uint64_t reserved) const;

  std::string file_;
  const Clock& clock_;
  log::MailLog& log_;
  std::string boot_;
  std::map<std::uint64_t, Account> accounts_;
  bool is_there_ = false;  // the file
  bool could_save_ = true;
};

}  // namespace hikyaku::relay
