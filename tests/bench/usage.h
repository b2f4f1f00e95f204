// SPDX-License-Identifier: MIT
// What this process uses, as the kernel counts it (proc(5)). Any thread.
#pragma once

#include <cstdint>

namespace hikyaku::bench {

struct Usage {
  std::uint64_t resident = 0;   // bytes of memory: VmRSS
  std::uint64_t asked = 0;      // bytes that were read by system calls: rchar
  std::uint64_t from_disk = 0;  // bytes that had to come from the disk: read_bytes
};

Usage own_usage();

}  // namespace hikyaku::bench
