// SPDX-License-Identifier: MIT
#include "daemon/config/read_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "daemon/base/fd.h"
#include "daemon/base/text.h"

namespace hikyaku::config {
namespace {

std::unexpected<FileError> system_failure(const char* what) {
  FileErrorKind kind = errno == ENOENT   ? FileErrorKind::missing
                       : errno == EACCES ? FileErrorKind::denied
                                         : FileErrorKind::other;
  return fail(kind, cat("cannot be ", what, ": ", os_error_text(errno)));
}

// Reads one byte more than is allowed, to notice that the file is too large.
Result<std::string, FileError> read_all(int fd) {
  std::string text(kLargestFile + 1, '\0');
  std::size_t length = 0;
  while (length < text.size()) {
    ssize_t got = ::read(fd, text.data() + length, text.size() - length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_failure("read");
    if (got == 0) break;
    length += static_cast<std::size_t>(got);
  }
  if (length > kLargestFile) return fail(FileErrorKind::other, "is larger than 1 MiB");
  text.resize(length);
  return text;
}

}  // namespace

Result<FileText, FileError> read_file(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return system_failure("opened");
  FileText file;
  if (::fstat(fd.get(), &file.status) != 0) return system_failure("read");
  if (!S_ISREG(file.status.st_mode)) return fail(FileErrorKind::other, "is not a regular file");
  auto text = read_all(fd.get());
  if (!text) return std::unexpected(text.error());
  file.text = std::move(*text);
  return file;
}

}  // namespace hikyaku::config
