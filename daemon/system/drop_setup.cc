// SPDX-License-Identifier: MIT
#include "daemon/system/drop_setup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "daemon/base/fd.h"
#include "daemon/base/text.h"

namespace hikyaku::system {
namespace {

constexpr mode_t kDropMode = 01730;  // put in, but neither list nor take out what is another's
constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

std::string cannot(const std::string& path, std::string_view what) {
  return cat(path, ": ", what, ": ", os_error_text(errno),
             "; sendmail can leave no mail there while the daemon does not run");
}

// Whether it has the group that sendmail has.
bool give_group(const Fd& directory, uid_t owner, std::optional<gid_t> group) {
  return group && ::fchown(directory.get(), owner, *group) == 0;
}

std::optional<std::string> hand_out(const Fd& directory, const std::string& path,
                                    const std::optional<Account>& account, std::optional<gid_t> group) {
  const uid_t owner = account ? account->uid : ::geteuid();
  const gid_t own_group = account ? account->gid : ::getegid();
  const bool has_group = give_group(directory, owner, group);
  if (!has_group && ::fchown(directory.get(), owner, own_group) != 0)
    return cannot(path, "cannot be handed over");
  if (::fchmod(directory.get(), kDropMode) != 0) return cannot(path, "cannot set the mode");
  if (has_group) return std::nullopt;
  return cat(path,
             group ? ": could not be given to the group hikyaku-submit; make the daemon's user a member of it"
                   : ": there is no group hikyaku-submit (systemd-sysusers makes it)",
             "; until then only the daemon's own user can leave mail there while the daemon does not run");
}

}  // namespace

// What is there was made by the package, or by an operator, who may have had reasons.
std::optional<std::string> prepare_drop_directory(const std::string& spool,
                                                  const std::optional<Account>& account,
                                                  const FindGroup& find) {
  const std::string path = cat(spool, "/drop");
  const Fd above(::open(spool.c_str(), kOpenDirectory));
  if (!above) return cannot(path, "the spool cannot be opened");
  if (::mkdirat(above.get(), "drop", 0700) != 0)
    return errno == EEXIST ? std::nullopt : std::optional(cannot(path, "cannot create the directory"));
  const Fd directory(::openat(above.get(), "drop", kOpenDirectory));
  if (!directory) return cannot(path, "cannot open the directory");
  return hand_out(directory, path, account, find(kDropGroup));
}

}  // namespace hikyaku::system
