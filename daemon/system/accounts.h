// SPDX-License-Identifier: MIT
// Users and groups of the machine, and the switch from root to the daemon's own account, for good. A step
// of the switch that fails, or turns out not to have worked, ends the start.
#pragma once

#include <grp.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

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

// The account to switch to; nullopt: none. Only root switches: to `user`, or to `hikyaku` if `user` is
// empty and that account exists. A problem if the process would have to stay root.
Result<std::optional<Account>, config::Problem> choose_account(uid_t uid, const std::string& user,
                                                               const FindAccount& find = find_account);

// The system calls of become(); tests replace them by ones that fail.
struct IdentityCalls {
  int (*set_groups)(const char* user, gid_t group) = ::initgroups;
  int (*set_gid)(gid_t real, gid_t effective, gid_t saved) = ::setresgid;
  int (*set_uid)(uid_t real, uid_t effective, uid_t saved) = ::setresuid;
};
// Sets groups, group and user, checks each, and that there is no way back. After an error the process must
// end.
Result<void, StartError> become(const Account& account, const IdentityCalls& calls = {});

// Forbids core dumps and debuggers of the same user, and closes what we create to others. To be called before
// become() and again after it: the kernel resets this at a change of user.
void close_to_others();

// A uid in the machine's user database.
struct LocalUser {
  std::string name;                 // empty: there is no user with that uid
  std::vector<std::string> groups;  // the groups of the user, if requested
};
enum class WithGroups : bool { no, yes };
using FindLocalUser = std::function<LocalUser(std::uint32_t uid, WithGroups groups)>;

// The uid and gid that the kernel shows for a process of another user namespace that has none in ours. Such a
// process is neither us nor in a group of ours.
inline constexpr std::uint32_t kNameless = 65534;

// Blocks, perhaps for long if the database is on another machine (LDAP).
LocalUser find_local_user(std::uint32_t uid, WithGroups groups);
// nullopt if there is no group of that name.
std::optional<gid_t> find_group(const std::string& name);
bool is_user_or_group(const std::string& name);

// nullopt: the database gave no answer.
using FindUserName = std::function<std::optional<bool>(const std::string& name)>;
std::optional<bool> is_user(const std::string& name);

}  // namespace hikyaku::system
