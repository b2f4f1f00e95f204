// SPDX-License-Identifier: MIT
#include "daemon/system/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>

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

}  // namespace hikyaku::system
