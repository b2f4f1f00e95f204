// SPDX-License-Identifier: MIT
#include "daemon/system/files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "daemon/base/fd.h"
#include "daemon/base/text.h"

namespace hikyaku::system {

bool write_all(const Fd& fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd.get(), bytes.data(), bytes.size());
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

Result<void, Error<std::errc>> replace_file(const std::string& file, std::string_view text, mode_t mode) {
  const std::string fresh = cat(file, ".new");
  const Fd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  const bool written =
      fd && write_all(fd, text) && ::fchmod(fd.get(), mode) == 0 && ::fdatasync(fd.get()) == 0;
  if (written && std::rename(fresh.c_str(), file.c_str()) == 0) return {};
  const int error = errno;
  if (fd) ::unlink(fresh.c_str());
  return fail(static_cast<std::errc>(error), cat(file, ": ", os_error_text(error)));
}

void write_new_file(const std::string& path, std::string_view text) {
  Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file || !write_all(file, text)) throw std::system_error(errno, std::generic_category(), path);
}

std::string read_whole_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TemporaryDirectory::TemporaryDirectory(const std::string& prefix)
    : path_((std::filesystem::temp_directory_path() / (prefix + "-XXXXXX")).string()) {
  if (::mkdtemp(path_.data()) == nullptr) throw std::system_error(errno, std::generic_category(), path_);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code nothing_more_to_be_done;
  std::filesystem::remove_all(path_, nothing_more_to_be_done);
}

namespace {

std::unexpected<NewFileError> failed(const std::string& name) {
  return fail(static_cast<std::errc>(errno), cat(name, ": ", os_error_text(errno)));
}

// Some file systems (NFS) do not support the first way.
bool rename_to_a_free_name(int directory, const std::string& from, const std::string& to) {
  if (::renameat2(directory, from.c_str(), directory, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno != EINVAL && errno != ENOSYS) return false;
  return ::linkat(directory, from.c_str(), directory, to.c_str(), 0) == 0 &&
         ::unlinkat(directory, from.c_str(), 0) == 0;
}

}  // namespace

Result<NewFile, NewFileError> NewFile::create(int directory, std::string name) {
  std::string unfinished = cat(name, ".part");
  Fd fd(::openat(directory, unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return failed(unfinished);
  return NewFile(directory, std::move(name), std::move(unfinished), std::move(fd));
}

NewFile::~NewFile() {
  if (fd_) ::unlinkat(directory_, unfinished_.c_str(), 0);
}

Result<void, NewFileError> NewFile::write(std::string_view bytes) {
  if (!write_all(fd_, bytes)) return failed(name_);
  return {};
}

Result<void, NewFileError> NewFile::finish() {
  if (!rename_to_a_free_name(directory_, unfinished_, name_)) return failed(name_);
  fd_.reset();
  return {};
}

}  // namespace hikyaku::system
