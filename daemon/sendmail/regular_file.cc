// SPDX-License-Identifier: MIT
#include "daemon/sendmail/regular_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "daemon/base/fd.h"

namespace hikyaku::sendmail {

Result<std::string, int> read_regular_file(const std::string& path, std::size_t limit) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  struct stat found{};
  if (!fd || ::fstat(fd.get(), &found) != 0) return std::unexpected(errno);
  if (!S_ISREG(found.st_mode)) return std::unexpected(EINVAL);
  std::string text(std::min(limit, static_cast<std::size_t>(found.st_size)), '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    ssize_t got = ::read(fd.get(), text.data() + filled, text.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(errno);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  text.resize(filled);
  return text;
}

}  // namespace hikyaku::sendmail
