// SPDX-License-Identifier: MIT
// Local users as sessions ask for them: `submit` of the configuration over the machine's user database, which
// is asked on the pool, for one uid at a time, and whose answers hold for a minute. The loop's thread.
#pragma once

#include <map>
#include <optional>

#include "daemon/config/settings.h"
#include "daemon/io/nursery.h"
#include "daemon/system/local_users.h"
#include "smtpd/submitter.h"

namespace hikyaku::app {

class LocalSubmitters final : public smtpd::Submitters {
 public:
  // The nursery has the look-ups; it is drained before this goes.
  LocalSubmitters(io::Loop& loop, io::Nursery& nursery, system::FindLocalUser find = system::find_local_user);

  // At start and at every reload; what was looked up before is asked for again.
  void configure(config::SubmitSettings settings);
  Task<std::optional<smtpd::Submitter>> find(std::uint32_t uid, io::Until until) override;

 private:
  struct Known {
    system::LocalUser user;
    Instant asked;
  };
  const Known* fresh(std::uint32_t uid) const;
  Task<void> look_up(std::uint32_t uid);
  void keep(std::uint32_t uid, system::LocalUser user);
  std::optional<smtpd::Submitter> judge(std::uint32_t uid) const;
  bool is_trusted(std::uint32_t uid, const system::LocalUser& user) const;

  io::Loop& loop_;
  io::Nursery& nursery_;
  system::FindLocalUser find_;
  config::SubmitSettings settings_;
  std::map<std::uint32_t, Known> known_;
  std::uint64_t round_ = 0;  // an answer that was asked for before a reload does not count
  bool is_asking_ = false;
  io::Event answered_;
};

// The names in `trusted` that are nobody's here: most likely misspelt. Blocks.
std::vector<std::string> unknown_trusted(const config::SubmitSettings& settings);

}  // namespace hikyaku::app
