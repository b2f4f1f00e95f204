// SPDX-License-Identifier: MIT
#include "daemon/sendmail/surroundings.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

#include "daemon/sendmail/exit.h"

namespace hikyaku::sendmail {
namespace {

bool input_is_open = false;

// A file that is opened later must never become 1 or 2: what is printed would go into it.
void open_standard_descriptors() {
  // Where it was closed, the C library of a set-gid program has put something there that cannot be read.
  int flags = ::fcntl(STDIN_FILENO, F_GETFL);
  input_is_open = flags >= 0 && (flags & O_ACCMODE) != O_WRONLY;
  int fd = 0;
  do {
    fd = ::open("/dev/null", O_RDWR | O_NOCTTY);
    if (fd < 0) ::_exit(static_cast<int>(Exit::os));
  } while (fd <= STDERR_FILENO);
  ::close(fd);
}

void set_limits() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  limit = {0, 0};
  ::setrlimit(RLIMIT_CORE, &limit);
}

}  // namespace

void put_surroundings_right() {
  ::clearenv();
  open_standard_descriptors();
  ::syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, 0u);
  set_limits();
  ::umask(S_IRWXG | S_IRWXO);
}

bool has_input() { return input_is_open; }

}  // namespace hikyaku::sendmail
