// SPDX-License-Identifier: MIT
#include "daemon/base/fd.h"

#include <unistd.h>

namespace hikyaku {

void Fd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);  // on Linux the descriptor is gone even after EINTR
  fd_ = fd;
}

}  // namespace hikyaku
