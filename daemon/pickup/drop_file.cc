// SPDX-License-Identifier: MIT
#include "daemon/pickup/drop_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::pickup {
namespace {

std::unexpected<DropError> not_ours(std::string_view why) {
  return fail(DropFault::not_ours, std::string(why));
}

std::unexpected<DropError> refused_by_system(std::string_view what) {
  return fail(DropFault::system, cat(what, ": ", os_error_text(errno)));
}

std::string_view kind_of(mode_t mode) {
  if (S_ISLNK(mode)) return "is a symbolic link";
  if (S_ISDIR(mode)) return "is a directory";
  if (S_ISFIFO(mode)) return "is a FIFO";
  if (S_ISSOCK(mode)) return "is a socket";
  return "is a device";
}

// The group: no user gets into it but through sendmail's set-gid bit, so it proves that sendmail made the
// file, for the user who owns it.
Result<void, DropError> judge(const struct stat& status, gid_t group) {
  if (!S_ISREG(status.st_mode)) return not_ours(kind_of(status.st_mode));
  if (status.st_nlink != 1) return not_ours("has another name elsewhere (a hard link)");
  if (status.st_gid != group)
    return not_ours("was not made by sendmail: its group is not that of the directory");
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return not_ours("is writable by users other than its owner");
  return {};
}

std::unexpected<DropError> cannot_open() {
  switch (errno) {
    case ENOENT: return fail(DropFault::gone, "is gone");
    case ELOOP: return not_ours(kind_of(S_IFLNK));
    case ENXIO: return not_ours(kind_of(S_IFSOCK));
    case EACCES:
      return fail(DropFault::system,
                  "hikyakud may not read it: its user must be a member of the group "
                  "hikyaku-submit");
    default: return refused_by_system("cannot be opened");
  }
}

ssize_t read_some(const Fd& fd, std::string& bytes) {
  ssize_t got = 0;
  do {
    got = ::read(fd.get(), bytes.data(), bytes.size());
  } while (got < 0 && errno == EINTR);
  return got;
}

}  // namespace

// A device is not even opened, since that might affect it. The file is examined again after open().
Result<DropFile, DropError> DropFile::open(int directory, const std::string& name, gid_t group,
                                           std::uint64_t most) {
  struct stat before{};
  if (::fstatat(directory, name.c_str(), &before, AT_SYMLINK_NOFOLLOW) != 0) return cannot_open();
  if (auto judged = judge(before, group); !judged) return std::unexpected(judged.error());
  Fd fd(::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd) return cannot_open();
  DropFile file(std::move(fd), name);
  if (auto looked = file.look(group, most); !looked) return std::unexpected(looked.error());
  if (auto header = file.read_header(); !header) return std::unexpected(header.error());
  return file;
}

Result<void, DropError> DropFile::look(gid_t group, std::uint64_t most) {
  struct stat status{};
  if (::fstat(fd_.get(), &status) != 0) return refused_by_system("cannot be examined");
  if (auto judged = judge(status, group); !judged) return judged;
  device_ = status.st_dev;
  inode_ = status.st_ino;
  uid_ = status.st_uid;
  left_ = static_cast<std::uint64_t>(status.st_size);
  if (left_ > most) return fail(DropFault::too_long, cat("has ", std::to_string(left_), " bytes"));
  return {};
}

Result<void, DropError> DropFile::read_header() {
  std::string bytes(mail::kDropHeader, '\0');
  const ssize_t got = read_some(fd_, bytes);
  if (got < 0) return refused_by_system("cannot be read");
  bytes.resize(static_cast<std::size_t>(got));
  auto header = mail::decode_drop_header(bytes);
  if (!header) return fail(DropFault::broken, "does not begin like a drop");
  if (header->length != left_ - mail::kDropHeader)
    return fail(DropFault::broken, "does not have the length that its first line gives");
  left_ = header->length;
  checksum_ = header->checksum;
  return {};
}

Result<std::string, DropError> DropFile::read(std::size_t most) {
  std::string bytes(static_cast<std::size_t>(std::min<std::uint64_t>(most, left_)), '\0');
  if (bytes.empty()) return bytes;
  const ssize_t got = read_some(fd_, bytes);
  if (got < 0) return refused_by_system("cannot be read");
  if (got == 0) return fail(DropFault::broken, "was truncated while it was read");
  bytes.resize(static_cast<std::size_t>(got));
  left_ -= bytes.size();
  digest_.update(bytes);
  return bytes;
}

bool DropFile::is_named(int directory, const std::string& name) const {
  struct stat status{};
  return ::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_dev == device_ &&
         status.st_ino == inode_;
}

}  // namespace hikyaku::pickup
