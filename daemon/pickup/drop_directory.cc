// SPDX-License-Identifier: MIT
#include "daemon/pickup/drop_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <memory>
#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::pickup {
namespace {

constexpr std::time_t kAbandonedAfter = 24 * 60 * 60;
constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

std::unexpected<DropError> system_error(std::string_view what) {
  const int error = errno;
  return fail(error == ENOENT ? DropFault::gone : DropFault::system, cat(what, ": ", os_error_text(error)));
}

// Makes a directory that only we may use, whatever the umask.
Result<Fd, DropError> open_private(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return system_error(path);
  Fd directory(::open(path.c_str(), kOpenDirectory));
  if (!directory) return system_error(path);
  return directory;
}

// All names but "." and "..".
Result<std::vector<std::string>, DropError> names_in(const Fd& directory, const std::string& path) {
  Fd own(::openat(directory.get(), ".", kOpenDirectory));
  if (!own) return system_error(path);
  std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(own.get()), ::closedir);
  if (!entries) return system_error(path);
  own.release();
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(entries.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

std::string taken_name(const std::string& name, mail::MailId id) { return cat(name, ".", to_text(id)); }

std::optional<DropDirectory::Taken> parse_taken(std::string_view text) {
  const std::size_t dot = text.rfind('.');
  if (dot == std::string_view::npos || !mail::is_drop_name(text.substr(0, dot))) return std::nullopt;
  auto id = mail::parse_mail_id(text.substr(dot + 1));
  if (!id) return std::nullopt;
  return DropDirectory::Taken{std::string(text.substr(0, dot)), *id};
}

// Never replaces a file: sendmail gives each name once, but the directory may hold anything.
Result<void, DropError> move(const Fd& from, const std::string& name, const Fd& to,
                             const std::string& new_name) {
  if (::renameat2(from.get(), name.c_str(), to.get(), new_name.c_str(), RENAME_NOREPLACE) == 0) return {};
  const bool has_no_such_call = errno == EINVAL || errno == ENOSYS;
  if (has_no_such_call && ::faccessat(to.get(), new_name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0 &&
      ::renameat(from.get(), name.c_str(), to.get(), new_name.c_str()) == 0)
    return {};
  return system_error("cannot be moved");
}

}  // namespace

Result<DropDirectory, DropError> DropDirectory::open(const std::string& spool) {
  DropDirectory directory;
  directory.path_ = cat(spool, "/drop");
  directory.drop_.reset(::open(directory.path_.c_str(), kOpenDirectory));
  struct stat status{};
  if (!directory.drop_ || ::fstat(directory.drop_.get(), &status) != 0) return system_error(directory.path_);
  if (status.st_uid != ::geteuid())
    return fail(
        DropFault::not_ours,
        cat(directory.path_, ": belongs to another user; run systemd-tmpfiles --create, or chown it"));
  directory.group_ = status.st_gid;
  for (auto [name, fd] :
       {std::pair("/taken", &directory.taken_), std::pair("/refused", &directory.refused_)}) {
    auto opened = open_private(cat(spool, name));
    if (!opened) return std::unexpected(opened.error());
    *fd = std::move(*opened);
  }
  return directory;
}

Result<DropDirectory::Listing, DropError> DropDirectory::list() const {
  auto names = names_in(drop_, path_);
  if (!names) return std::unexpected(names.error());
  Listing listing;
  for (std::string& name : *names) {
    if (mail::is_drop_name(name))
      listing.drops.push_back(std::move(name));
    else if (name.starts_with('.'))
      listing.has_drafts |= !remove_if_abandoned(name) && is_draft_name(name);
    else
      listing.others.push_back(std::move(name));
  }
  std::ranges::sort(listing.drops);
  std::ranges::sort(listing.others);
  return listing;
}

// A draft is locked by its writer until it is finished: one without a lock is abandoned. Where locks cannot
// be tested, the inode's change time decides, which no user can set. `locked` keeps a writer from coming just
// now.
bool DropDirectory::is_abandoned(const std::string& name, Fd& locked) const {
  struct stat status{};
  if (::fstatat(drop_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode))
    return false;
  if (std::time(nullptr) - status.st_ctime > kAbandonedAfter) return true;
  if (!is_draft_name(name)) return false;
  locked.reset(
      ::openat(drop_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  return locked && ::flock(locked.get(), LOCK_EX | LOCK_NB) == 0;
}

bool DropDirectory::remove_if_abandoned(const std::string& name) const {
  Fd locked;
  return is_abandoned(name, locked) && ::unlinkat(drop_.get(), name.c_str(), 0) == 0;
}

Result<void, DropError> DropDirectory::take(const std::string& name, const DropFile& file,
                                            mail::MailId id) const {
  const std::string taken = taken_name(name, id);
  auto moved = move(drop_, name, taken_, taken);
  if (!moved || file.is_named(taken_.get(), taken)) return moved;
  auto back = move(taken_, taken, drop_, name);
  if (!back) return back;
  return fail(DropFault::gone, "another file has taken its place");
}

Result<void, DropError> DropDirectory::give_back(const std::string& name, mail::MailId id) const {
  return move(taken_, taken_name(name, id), drop_, name);
}

Result<void, DropError> DropDirectory::remove(const std::string& name, mail::MailId id) const {
  if (::unlinkat(taken_.get(), taken_name(name, id).c_str(), 0) != 0)
    return system_error("cannot be removed");
  return flush(taken_);
}

Result<void, DropError> DropDirectory::refuse(const std::string& name) const {
  auto moved = move(drop_, name, refused_, name);
  return moved ? flush(refused_) : moved;
}

Result<void, DropError> DropDirectory::flush(const Fd& other) const {
  if (::fsync(other.get()) == 0 && ::fsync(drop_.get()) == 0) return {};
  return system_error("cannot be flushed");
}

std::vector<DropDirectory::Taken> DropDirectory::taken() const {
  std::vector<Taken> all;
  auto names = names_in(taken_, "taken");
  if (!names) return all;
  for (const std::string& name : *names)
    if (auto one = parse_taken(name)) all.push_back(std::move(*one));
  return all;
}

}  // namespace hikyaku::pickup
