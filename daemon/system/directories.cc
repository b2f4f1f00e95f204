// SPDX-License-Identifier: MIT
#include "daemon/system/directories.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string_view>

#include "daemon/base/fd.h"
#include "daemon/base/text.h"

namespace hikyaku::system {
namespace {

constexpr mode_t kSpoolMode = 0711;    // what is inside is 0700; sendmail(1) must get to its drop directory
constexpr mode_t kOAuthMode = 0700;    // tokens
constexpr mode_t kRuntimeMode = 0755;  // the sockets have modes of their own

// With a slash at the end, open(2) would follow a symbolic link.
std::string without_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

std::unexpected<StartError> refuse(const std::string& path, std::string_view what) {
  return fail(Exit::cannot_create, cat(path, ": ", what));
}

std::unexpected<StartError> system_refuses(const std::string& path, std::string_view what) {
  return refuse(path, cat(what, ": ", os_error_text(errno)));
}

// Returns whether the directory was missing.
Result<bool, StartError> make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return true;
  if (errno == EEXIST) return false;
  return system_refuses(path, "cannot create the directory");
}

Result<Fd, StartError> open_directory(const std::string& path) {
  Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (directory) return directory;
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode))
    return refuse(path, "is a symbolic link; name the directory that it leads to");
  return system_refuses(path, "cannot open the directory");
}

bool is_empty(const Fd& directory) {
  std::unique_ptr<DIR, int (*)(DIR*)> entries(
      ::fdopendir(::openat(directory.get(), ".", O_RDONLY | O_CLOEXEC)), ::closedir);
  if (!entries) return false;
  while (const dirent* entry = ::readdir(entries.get())) {
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") return false;
  }
  return true;
}

// Only for an empty directory of root's.
Result<void, StartError> hand_over(const Fd& directory, const std::string& path, mode_t mode,
                                   const Account& account) {
  struct stat status{};
  if (::fstat(directory.get(), &status) != 0) return system_refuses(path, "cannot look at the directory");
  if (status.st_uid == account.uid) return {};
  if (status.st_uid != 0 || !is_empty(directory))
    return refuse(path,
                  cat("belongs to another user than ", account.name,
                      " and is not empty; if it is the spool, run: chown -R ", account.name, ": ", path));
  if (::fchown(directory.get(), account.uid, account.gid) != 0 || ::fchmod(directory.get(), mode) != 0)
    return system_refuses(path, cat("cannot be handed to ", account.name));
  return {};
}

// Made by root for us just now, by all it shows: root's, empty, and nobody else may write in it.
bool is_fresh(const std::string& path) {
  auto directory = open_directory(path);
  struct stat status{};
  if (!directory || ::fstat(directory->get(), &status) != 0) return false;
  return status.st_uid == 0 && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0 && is_empty(*directory);
}

Result<void, StartError> set_up(const std::string& path, mode_t mode, const std::optional<Account>& account,
                                bool is_new) {
  auto directory = open_directory(path);
  if (!directory) return std::unexpected(directory.error());
  if (account) return hand_over(*directory, path, mode, *account);
  if (is_new && ::fchmod(directory->get(), mode) != 0) return system_refuses(path, "cannot set the mode");
  return {};
}

constexpr mode_t kDropMode = 01730;  // users can add files, but neither list nor remove those of others
constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

std::string cannot(const std::string& path, std::string_view what) {
  return cat(path, ": ", what, ": ", os_error_text(errno),
             "; sendmail cannot leave mail there while the daemon is not running");
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
             "; until then only the daemon's own user can leave mail there while the daemon is not running");
}

}  // namespace

Result<void, StartError> prepare_spool_directory(const std::string& path,
                                                 const std::optional<Account>& account) {
  std::string directory = without_slash(path);
  auto is_new = make_directory(directory);
  if (!is_new) return std::unexpected(is_new.error());
  return set_up(directory, kSpoolMode, account, *is_new);
}

// What it is in stays whose it is: others may keep things there.
Result<void, StartError> prepare_oauth_directory(const std::string& path,
                                                 const std::optional<Account>& account) {
  std::string directory = without_slash(path);
  const std::string parent = directory.substr(0, directory.rfind('/'));
  auto made = parent.empty() ? Result<bool, StartError>(false) : make_directory(parent);
  if (!made) return std::unexpected(made.error());
  if (*made && ::chmod(parent.c_str(), 0755) != 0) return system_refuses(parent, "cannot set the mode");
  auto is_new = make_directory(directory);
  if (!is_new) return std::unexpected(is_new.error());
  return set_up(directory, kOAuthMode, account, *is_new);
}

Result<void, StartError> prepare_runtime_directory(const std::string& path,
                                                   const std::optional<Account>& account) {
  std::string directory = without_slash(path);
  auto is_new = make_directory(directory);
  if (!is_new) return std::unexpected(is_new.error());
  if (!*is_new && !(account && is_fresh(directory))) return {};
  return set_up(directory, kRuntimeMode, account, *is_new);
}

std::optional<Forgetful> forgetful_file_system(const std::string& directory) {
  struct statfs status{};
  if (::statfs(directory.c_str(), &status) != 0) return std::nullopt;
  constexpr std::string_view kMemory =
      "which is memory: mail that waits there is lost when the machine stops";
  constexpr std::string_view kLayer =
      "where a container's own files are: mail that waits there is lost with it";
  switch (static_cast<std::uint32_t>(status.f_type)) {
    case TMPFS_MAGIC: return Forgetful{"tmpfs", kMemory};
    case RAMFS_MAGIC: return Forgetful{"ramfs", kMemory};
    case OVERLAYFS_SUPER_MAGIC: return Forgetful{"overlayfs", kLayer};
    default: return std::nullopt;
  }
}

// An existing directory comes from the package or the operator, and stays as it is.
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
