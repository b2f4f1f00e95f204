// SPDX-License-Identifier: MIT
#include "daemon/system/replace_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "daemon/base/fd.h"
#include "daemon/base/text.h"
#include "daemon/system/write_all.h"

namespace hikyaku::system {

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

}  // namespace hikyaku::system
