// SPDX-License-Identifier: MIT
#include "tests/crash/passing/log_size.h"

#include <sys/stat.h>

#include <filesystem>

namespace hikyaku::crash {

std::int64_t blocks_in(const std::string& directory) {
  std::int64_t sum = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    struct stat status;
    if (::lstat(entry.path().c_str(), &status) == 0) sum += status.st_blocks * 512;
  }
  return sum;
}

}  // namespace hikyaku::crash
