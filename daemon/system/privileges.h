// SPDX-License-Identifier: MIT
// From root to a user of no consequence, for good, and a process that shows its memory to nobody. Nothing
// here is done by halves: a step that fails, or that turns out not to have worked, ends the start.
#pragma once

#include <grp.h>
#include <sys/types.h>
#include <unistd.h>

#include <functional>
#include <optional>
#include <string>

#include "daemon/base/exit.h"
#include "daemon/config/problem.h"

namespace hikyaku::system {

struct Account {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
};

using FindAccount = std::function<std::optional<Account>(const std::string& name)>;
// From the machine's user database. Blocks.
std::optional<Account> find_account(const std::string& name);

// Whom a process of `uid` is to become: nobody else unless it is root; root `user`, or where that is empty
// `hikyaku` if there is such a user. A problem where it would have to stay root.
Result<std::optional<Account>, config::Problem> choose_account(uid_t uid, const std::string& user,
                                                               const FindAccount& find = find_account);

// The system calls behind become(), so that tests can have them fail.
struct IdentityCalls {
  int (*set_groups)(const char* user, gid_t group) = ::initgroups;
  int (*set_gid)(gid_t real, gid_t effective, gid_t saved) = ::setresgid;
  int (*set_uid)(uid_t real, uid_t effective, uid_t saved) = ::setresuid;
};
// Groups, group and user, each checked, and that there is no way back. After an error the process must end.
Result<void, StartError> become(const Account& account, const IdentityCalls& calls = {});

// No core dumps, no debugger of the same user, nothing that we create open to others. Before become() and
// again after it: the kernel forgets at a change of user.
void close_to_others();

}  // namespace hikyaku::system
