// SPDX-License-Identifier: MIT
#include "daemon/system/privileges.h"

#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <vector>

#include "daemon/base/text.h"

namespace hikyaku::system {
namespace {

constexpr const char* kDefaultUser = "hikyaku";
constexpr std::size_t kAccountText = 16 * 1024;

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HIKYAKU_LEAK_CHECKER 1
#endif
#endif
// The leak checker of a sanitizer build looks at its own process as a debugger would.
#ifdef HIKYAKU_LEAK_CHECKER
constexpr unsigned long kDumpable = 1;
#else
constexpr unsigned long kDumpable = 0;
#endif

std::unexpected<config::Problem> problem(std::string text) {
  return std::unexpected(config::Problem{"", 0, 0, "user", std::move(text)});
}

std::unexpected<StartError> not_done(std::string_view what, const Account& account) {
  return fail(Exit::internal, cat("cannot become ", account.name, ": ", what, ": ", os_error_text(errno)));
}

bool has_become(const Account& account) {
  uid_t uid[3];
  gid_t gid[3];
  if (::getresuid(&uid[0], &uid[1], &uid[2]) != 0 || ::getresgid(&gid[0], &gid[1], &gid[2]) != 0)
    return false;
  for (int i = 0; i < 3; ++i)
    if (uid[i] != account.uid || gid[i] != account.gid) return false;
  return true;
}

bool may_return_to_root() { return ::setuid(0) == 0 || ::setgid(0) == 0 || ::setgroups(0, nullptr) == 0; }

}  // namespace

std::optional<Account> find_account(const std::string& name) {
  std::vector<char> text(kAccountText);
  passwd entry{};
  passwd* found = nullptr;
  ::getpwnam_r(name.c_str(), &entry, text.data(), text.size(), &found);
  if (found == nullptr) return std::nullopt;
  return Account{name, entry.pw_uid, entry.pw_gid};
}

Result<std::optional<Account>, config::Problem> choose_account(uid_t uid, const std::string& user,
                                                               const FindAccount& find) {
  if (uid != 0) return std::nullopt;
  auto account = find(user.empty() ? kDefaultUser : user);
  if (!account && user.empty())
    return problem(
        "the daemon does not run as root. Say here which user it is to become after binding its ports, or "
        "make one: useradd --system --no-create-home --shell /usr/sbin/nologin hikyaku");
  if (!account) return problem(cat("there is no user ", user, " on this machine"));
  if (account->uid == 0 || account->gid == 0)
    return problem(cat(account->name, " is root by another name; choose a user without its rights"));
  return account;
}

Result<void, StartError> become(const Account& account, const IdentityCalls& calls) {
  if (calls.set_groups(account.name.c_str(), account.gid) != 0) return not_done("initgroups", account);
  if (calls.set_gid(account.gid, account.gid, account.gid) != 0) return not_done("setresgid", account);
  if (calls.set_uid(account.uid, account.uid, account.uid) != 0) return not_done("setresuid", account);
  if (!has_become(account)) return fail(Exit::internal, cat("has not become ", account.name));
  if (may_return_to_root()) return fail(Exit::internal, cat("as ", account.name, " could be root again"));
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return not_done("no_new_privs", account);
  return {};
}

void close_to_others() {
  constexpr rlimit kNone{0, 0};
  ::umask(077);
  ::setrlimit(RLIMIT_CORE, &kNone);  // may be forbidden by the service manager, which has set it itself then
  ::prctl(PR_SET_DUMPABLE, kDumpable, 0, 0, 0);
}

}  // namespace hikyaku::system
