// SPDX-License-Identifier: MIT
#include "tests/bench/usage.h"

#include <fstream>
#include <string>

namespace hikyaku::bench {
namespace {

// The number behind "NAME:" in one of the kernel's lists; 0 if it is not there.
std::uint64_t number_in(const char* file, const std::string& name) {
  std::ifstream list(file);
  for (std::string word; list >> word;) {
    std::uint64_t number = 0;
    if (word == name + ":" && list >> number) return number;
  }
  return 0;
}

}  // namespace

Usage own_usage() {
  return {.resident = number_in("/proc/self/status", "VmRSS") * 1024,
          .asked = number_in("/proc/self/io", "rchar"),
          .from_disk = number_in("/proc/self/io", "read_bytes")};
}

}  // namespace hikyaku::bench
