// SPDX-License-Identifier: MIT
#include "daemon/system/new_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "daemon/base/text.h"
#include "daemon/system/files.h"

namespace hikyaku::system {
namespace {

std::unexpected<NewFileError> failed(const std::string& name) {
  return fail(static_cast<std::errc>(errno), cat(name, ": ", os_error_text(errno)));
}

// Some file systems (NFS) do not know the first way.
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
