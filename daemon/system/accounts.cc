// SPDX-License-Identifier: MIT
#include "daemon/system/accounts.h"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>
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

constexpr std::size_t kFirstText = 4 * 1024;
constexpr std::size_t kMostText = 1024 * 1024;  // enough for a group with tens of thousands of members
constexpr int kMostGroups = 65536;

// `look` is one of the get…_r functions, bound to a name or id. `trouble`: why the database could not say, or 0.
template <class Entry, class Use>
bool look_up(const std::function<int(Entry*, char*, std::size_t, Entry**)>& look, const Use& use,
             int* trouble = nullptr) {
  for (std::size_t size = kFirstText; size <= kMostText; size *= 4) {
    std::vector<char> text(size);
    Entry entry{};
    Entry* found = nullptr;
    const int error = look(&entry, text.data(), text.size(), &found);
    if (error == ERANGE) continue;
    if (trouble != nullptr) *trouble = error;
    if (found != nullptr) use(entry);
    return found != nullptr;
  }
  return false;
}

std::string group_name(gid_t gid) {
  std::string name;
  look_up<group>([gid](group* entry, char* text, std::size_t size,
                       group** found) { return ::getgrgid_r(gid, entry, text, size, found); },
                 [&name](const group& entry) { name = entry.gr_name; });
  return name;
}

std::vector<gid_t> groups_of(const char* name, gid_t own) {
  int count = 64;
  std::vector<gid_t> gids(static_cast<std::size_t>(count));
  while (::getgrouplist(name, own, gids.data(), &count) < 0 && count <= kMostGroups &&
         static_cast<std::size_t>(count) > gids.size())
    gids.resize(static_cast<std::size_t>(count));
  gids.resize(std::min(gids.size(), static_cast<std::size_t>(count)));
  return gids;
}

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

LocalUser find_local_user(std::uint32_t uid, WithGroups groups) {
  LocalUser user;
  gid_t own = 0;
  look_up<passwd>([uid](passwd* entry, char* text, std::size_t size,
                        passwd** found) { return ::getpwuid_r(uid, entry, text, size, found); },
                  [&](const passwd& entry) {
                    user.name = entry.pw_name;
                    own = entry.pw_gid;
                  });
  if (user.name.empty() || groups == WithGroups::no) return user;
  for (const gid_t gid : groups_of(user.name.c_str(), own))
    if (std::string name = group_name(gid); !name.empty()) user.groups.push_back(std::move(name));
  return user;
}

std::optional<gid_t> find_group(const std::string& name) {
  std::optional<gid_t> gid;
  look_up<group>([&](group* entry, char* text, std::size_t size,
                     group** found) { return ::getgrnam_r(name.c_str(), entry, text, size, found); },
                 [&gid](const group& entry) { gid = entry.gr_gid; });
  return gid;
}

// getpwnam(3): systems say in several ways that there is none.
std::optional<bool> is_user(const std::string& name) {
  int trouble = EIO;
  const bool found =
      look_up<passwd>([&](passwd* entry, char* text, std::size_t size,
                          passwd** result) { return ::getpwnam_r(name.c_str(), entry, text, size, result); },
                      [](const passwd&) {}, &trouble);
  const bool is_none =
      trouble == 0 || trouble == ENOENT || trouble == ESRCH || trouble == EBADF || trouble == EPERM;
  return found || is_none ? std::optional(found) : std::nullopt;
}

bool is_user_or_group(const std::string& name) {
  return look_up<passwd>([&](passwd* entry, char* text, std::size_t size,
                             passwd** found) { return ::getpwnam_r(name.c_str(), entry, text, size, found); },
                         [](const passwd&) {}) ||
         find_group(name).has_value();
}

}  // namespace hikyaku::system
