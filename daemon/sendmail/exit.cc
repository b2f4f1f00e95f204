// SPDX-License-Identifier: MIT
#include "daemon/sendmail/exit.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace hikyaku::sendmail {

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EAGAIN) {
      pollfd full{fd, POLLOUT, 0};
      ::poll(&full, 1, -1);
    } else if (written > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

void print(std::string_view text) { write_all(STDOUT_FILENO, text); }

}  // namespace hikyaku::sendmail
