// SPDX-License-Identifier: MIT
#include "daemon/config/read_file.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
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

// A group with the user's name has no other members.
std::string how_to_let_us_read(const std::string& path) {
  std::array<char, 16 * 1024> text{};
  passwd us{};
  group ours{};
  passwd* found_us = nullptr;
  group* found_ours = nullptr;
  ::getpwuid_r(::geteuid(), &us, text.data(), text.size() / 2, &found_us);
  ::getgrgid_r(::getegid(), &ours, text.data() + text.size() / 2, text.size() / 2, &found_ours);
  std::string user = found_us != nullptr ? us.pw_name : std::to_string(::geteuid());
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return cat("; a directory above it is closed to the user ", user);
  const bool has_own_group = found_ours != nullptr && user == ours.gr_name;
  return cat(" (mode ", mode_text(status.st_mode), ", for the user ", user, "); run: chown ",
             has_own_group ? "root:" : "", user, " ", path, " && chmod ", has_own_group ? "640 " : "600 ",
             path);
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

std::string mode_text(mode_t mode) {
  std::string digits{'0'};
  for (int shift : {6, 3, 0}) digits += static_cast<char>('0' + ((mode >> shift) & 7));
  return digits;
}

std::string explain(const FileError& error, const std::string& path) {
  return error.kind == FileErrorKind::denied ? cat(error.text, how_to_let_us_read(path)) : error.text;
}

}  // namespace hikyaku::config
