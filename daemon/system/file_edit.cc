// SPDX-License-Identifier: MIT
#include "daemon/system/file_edit.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/system/files.h"

namespace hikyaku::system {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;  // as Linux follows

// The file at the end of the links, which may be missing.
fs::path follow_links(fs::path path) {
  std::error_code error;
  for (int links = 0; links < kMostLinks && fs::is_symlink(fs::symlink_status(path, error)); ++links)
    path = path.parent_path() / fs::read_symlink(path, error);
  return path;
}

std::unexpected<FileEditError> edit_failed(const std::string& path) {
  return fail(static_cast<std::errc>(errno), cat(path, ": ", os_error_text(errno)));
}

bool lock(const Fd& directory) {
  int result = 0;
  do result = ::flock(directory.get(), LOCK_EX);
  while (result != 0 && errno == EINTR);
  return result == 0;
}

// A file that an interrupted edit has left may have been opened by anybody by now: this one is another.
Fd create_closed(const std::string& path) {
  ::unlink(path.c_str());
  return Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
}

// Before the first byte is written. The group comes first: with the mode before it, the group that we had
// could read the file.
bool give_access(const Fd& file, const FileAccess& access) {
  constexpr uid_t kUnchanged = static_cast<uid_t>(-1);
  if (access.group && ::fchown(file.get(), kUnchanged, *access.group) != 0) return false;
  return ::fchmod(file.get(), access.mode) == 0;
}

}  // namespace

FileAccess access_for_secrets(const std::optional<Account>& daemon) {
  const bool may_give = ::geteuid() == 0 && daemon;
  return may_give ? FileAccess{0640, daemon->gid} : FileAccess{};
}

Result<FileEdit, FileEditError> FileEdit::begin(const std::string& path) {
  const fs::path file = follow_links(fs::absolute(path));
  const std::string parent = file.parent_path().string();
  Fd directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || !lock(directory)) return edit_failed(parent);
  return FileEdit(file.string(), std::move(directory));
}

Result<void, FileEditError> FileEdit::replace(std::string_view text, const FileAccess& access) const {
  const std::string fresh = cat(path_, ".new");
  const Fd fd = create_closed(fresh);
  const bool is_written = fd && give_access(fd, access) && write_all(fd, text) && ::fdatasync(fd.get()) == 0;
  if (is_written && std::rename(fresh.c_str(), path_.c_str()) == 0) {
    ::fsync(directory_.get());  // if that fails, a power cut may bring the old file back, whole
    return {};
  }
  auto failure = edit_failed(path_);
  if (fd) ::unlink(fresh.c_str());
  return failure;
}

}  // namespace hikyaku::system
