// SPDX-License-Identifier: MIT
#include "daemon/system/write_all.h"

#include <unistd.h>

namespace hikyaku::system {

bool write_all(const Fd& fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd.get(), bytes.data(), bytes.size());
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace hikyaku::system
