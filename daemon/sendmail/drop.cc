// SPDX-License-Identifier: MIT
#include "daemon/sendmail/drop.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "daemon/base/checksum.h"
#include "daemon/base/clock.h"
#include "daemon/base/random.h"
#include "daemon/base/text.h"
#include "daemon/mail/drop_format.h"
#include "daemon/sendmail/process_hygiene.h"

namespace hikyaku::sendmail {
namespace {

constexpr mode_t kMode = 0640;
constexpr std::uint64_t kBetweenLooks = 1 << 20;  // bytes written between two checks of the free space
constexpr mode_t kWanted = S_ISVTX | S_IWGRP | S_IXGRP;

std::string draft_name() {
  auto now = SystemClock().wall().time_since_epoch().count();
  std::array<char, 64> name{};
  std::snprintf(name.data(), name.size(), ".%016llx.%d.%08x", static_cast<unsigned long long>(now),
                ::getpid(), static_cast<unsigned>(random_number()));
  return name.data();
}

std::unexpected<Failure> no_drop(const std::string& path, std::string_view why) {
  return fail(Exit::try_again, cat(path, ": ", why));
}

}  // namespace

Result<DropDirectory, Failure> DropDirectory::open(const std::string& path, std::uint64_t min_free) {
  Fd fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat found{};
  if (!fd || ::fstat(fd.get(), &found) != 0) return no_drop(path, os_error_text(errno));
  if ((found.st_mode & kWanted) != kWanted || (found.st_mode & S_IWOTH) != 0)
    return no_drop(path, "the drop directory must have mode 1730; run 'systemd-tmpfiles --create' as root");
  return DropDirectory(std::move(fd), found.st_gid, path, min_free);
}

// The space that the spool needs for itself (`spool.min_free`) must not be used up by waiting mail.
Result<void, Failure> DropDirectory::has_room() const {
  struct statvfs disk{};
  bool is_known = ::fstatvfs(fd_.get(), &disk) == 0;
  if (!is_known || std::uint64_t{disk.f_bavail} * disk.f_frsize >= min_free_) return {};
  return no_drop(path_, cat("less than ", std::to_string(min_free_ >> 20),
                            " MiB is free on its disk (`spool.min_free`)"));
}

Result<std::unique_ptr<Draft>, Failure> Draft::begin(const DropDirectory& directory,
                                                     std::string_view commands) {
  std::unique_ptr<Draft> draft(new Draft(directory));
  if (auto created = draft->create(); !created) return std::unexpected(created.error());
  draft->size_ = mail::kDropHeader;
  // The content's length is filled in once it is known.
  std::string ahead = cat(commands, mail::drop_content_line(0), "\r\n");
  if (auto written = draft->append(ahead); !written) return std::unexpected(written.error());
  draft->content_at_ = draft->size_;
  return draft;
}

Draft::~Draft() {
  if (name_.empty()) return;
  SignalBlock signal_block;
  WithPrivilege privilege;
  ::unlinkat(directory_.fd(), name_.c_str(), 0);
  need_not_remove(name_);
}

Result<void, Failure> Draft::create() {
  SignalBlock signal_block;
  WithPrivilege privilege;
  bool is_locked = false;
  while (!is_locked) {
    name_ = draft_name();
    constexpr int kHow = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    fd_.reset(::openat(directory_.fd(), name_.c_str(), kHow, S_IRUSR | S_IWUSR));
    if (!fd_) {
      name_.clear();
      return cannot("cannot be written to");
    }
    is_locked = lock();
  }
  will_remove(directory_.fd(), name_);
  return give_to_group();
}

// Holds the lock until the process ends, because the daemon removes unlocked drafts. Returns false if the
// daemon has already removed this draft. On a file system without locks the daemon waits a day.
bool Draft::lock() {
  struct stat found{};
  return ::flock(fd_.get(), LOCK_EX) != 0 || ::fstat(fd_.get(), &found) != 0 || found.st_nlink > 0;
}

// With the set-gid bit the file already has the group; root may set the group.
Result<void, Failure> Draft::give_to_group() {
  struct stat made{};
  if (::fstat(fd_.get(), &made) != 0) return cannot("cannot be written to");
  bool differs = made.st_gid != directory_.group();
  if (differs && ::fchown(fd_.get(), static_cast<uid_t>(-1), directory_.group()) != 0)
    return cannot("refuses a file of its group");
  return ::fchmod(fd_.get(), kMode) == 0 ? Result<void, Failure>() : cannot("cannot be written to");
}

Result<void, Failure> Draft::append(std::string_view content) {
  while (!content.empty()) {
    if (size_ >= next_look_) {
      if (auto room = directory_.has_room(); !room) return room;
      next_look_ = size_ + kBetweenLooks;
    }
    std::string_view piece = content.substr(0, next_look_ - size_);
    if (auto written = write(piece, size_); !written) return written;
    size_ += piece.size();
    content.remove_prefix(piece.size());
  }
  return {};
}

Result<void, Failure> Draft::append_all(Content& content) {
  while (true) {
    auto piece = content.next();
    if (!piece) return std::unexpected(piece.error());
    if (piece->empty()) return {};
    if (auto appended = append(*piece); !appended) return appended;
  }
}

Result<void, Failure> Draft::write(std::string_view bytes, std::uint64_t at) {
  while (!bytes.empty()) {
    ssize_t written = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return cannot("cannot store the message");
    bytes.remove_prefix(static_cast<std::size_t>(written));
    at += static_cast<std::uint64_t>(written);
  }
  return {};
}

Result<void, Failure> Draft::commit() {
  std::string line = mail::drop_content_line(size_ - content_at_) + "\r\n";
  if (auto written = write(line, content_at_ - line.size()); !written) return written;
  if (auto written = write_header(); !written) return written;
  if (::fsync(fd_.get()) != 0) return cannot("cannot be flushed to disk");
  return publish();
}

// The checksum covers what the file really contains, so the file is read back.
Result<void, Failure> Draft::write_header() {
  Checksum sum(mail::kDropSeed);
  FileContent all(fd_.get(), mail::kDropHeader, size_ - mail::kDropHeader);
  while (true) {
    auto piece = all.next();
    if (!piece) return std::unexpected(piece.error());
    if (piece->empty()) break;
    sum.update(*piece);
  }
  return write(mail::encode_drop_header({size_ - mail::kDropHeader, sum.digest()}), 0);
}

// After the rename the daemon may fetch the mail. The flush after it makes the new name durable: a flush of
// the directory if that may be opened, else of the file, which on ext4, xfs and btrfs includes the rename.
Result<void, Failure> Draft::publish() {
  SignalBlock signal_block;
  WithPrivilege privilege;
  if (::renameat(directory_.fd(), name_.c_str(), directory_.fd(), name_.c_str() + 1) != 0)
    return cannot("cannot store the message under its final name");
  need_not_remove(name_);
  std::string published = std::exchange(name_, {}).substr(1);
  Fd listed(::openat(directory_.fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (::fsync(listed ? listed.get() : fd_.get()) == 0) return {};
  auto failure = cannot("cannot be flushed to disk");
  bool taken = ::unlinkat(directory_.fd(), published.c_str(), 0) != 0 && errno == ENOENT;
  return taken ? Result<void, Failure>() : failure;  // the daemon has already fetched and stored the mail
}

std::unexpected<Failure> Draft::cannot(std::string_view what) const {
  return fail(Exit::try_again, cat(directory_.path(), " ", what, ": ", os_error_text(errno)));
}

}  // namespace hikyaku::sendmail
