// SPDX-License-Identifier: MIT
// Decides, by the `submit` settings and the machine's user database, what a local user may do. The database
// is queried on the pool, for one uid at a time; an answer is valid for a minute. The loop's thread.
#pragma once

#include <map>
#include <optional>

#include "daemon/config/settings.h"
#include "daemon/io/nursery.h"
#include "daemon/system/accounts.h"
#include "smtpd/submitter.h"

namespace hikyaku::app {

class LocalSubmitters final : public smtpd::Submitters {
 public:
  // The nursery has the look-ups, and is drained before the end of this object.
  LocalSubmitters(io::Loop& loop, io::Nursery& nursery, system::FindLocalUser find = system::find_local_user);

  // At the start and at every reload; cached answers are dropped.
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
  std::uint64_t round_ = 0;  // an answer to a query from before a reload is dropped
  bool is_asking_ = false;
  io::Event answered_;
};

// The names in `trusted` that are neither a user nor a group of this machine: probably misspelt. Blocks.
std::vector<std::string> unknown_trusted(const config::SubmitSettings& settings);

}  // namespace hikyaku::app
