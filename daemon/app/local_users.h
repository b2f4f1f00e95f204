// SPDX-License-Identifier: MIT
// Which names are users of this machine, for `local_mail`. The user database is asked on the pool, about all unknown
// names of a message at once; an answer is valid for a minute. The loop's thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "daemon/io/nursery.h"
#include "daemon/io/wait.h"
#include "daemon/system/accounts.h"

namespace hikyaku::app {

class LocalUsers {
 public:
  // The nursery has the questions, and is drained before the end of this object.
  LocalUsers(io::Loop& loop, io::Nursery& nursery, system::FindUserName find = system::is_user);

  // At a reload: asks again.
  void forget() { known_.clear(); }
  // Suspends only if one of the names has to be asked about. An old answer is better than none; false: there is none,
  // because the database is broken, or silent until `until`.
  Task<bool> learn(std::vector<std::string> names, io::Until until);
  bool knows(const std::vector<std::string>& names) const;
  bool is_user(const std::string& name) const;  // false for one that is not known

 private:
  struct Known {
    bool is_user = false;
    Instant asked;
  };
  std::vector<std::string> without_fresh_answer(const std::vector<std::string>& names) const;
  Task<void> ask(std::vector<std::string> names);

  io::Loop& loop_;
  io::Nursery& nursery_;
  system::FindUserName find_;
  std::map<std::string, Known, std::less<>> known_;
  std::uint64_t failures_ = 0;  // questions that the database could not answer
  bool is_asking_ = false;
  io::Event answered_;
};

}  // namespace hikyaku::app
