// SPDX-License-Identifier: MIT
// What a spool's log/ takes on the disk, and whether that is within the bound: three times the live bytes
// plus two segments.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

namespace hikyaku::crash {

// Blocks of the files in `directory`, in bytes. A file that goes while we look counts nothing.
std::int64_t blocks_in(const std::string& directory);

struct Sizes {
  std::int64_t bytes = 0;
  std::int64_t live = 0;

  std::int64_t excess(std::int64_t segment) const { return bytes - 3 * live - 2 * segment; }
};

// The largest of many samples.
struct Extremes {
  std::int64_t bytes = 0;
  std::int64_t excess = INT64_MIN;

  void take(const Sizes& sizes, std::int64_t segment) {
    bytes = std::max(bytes, sizes.bytes);
    excess = std::max(excess, sizes.excess(segment));
  }
};

}  // namespace hikyaku::crash
