// SPDX-License-Identifier: MIT
// What the disk gives to a log without any spool: the same bytes, 50 messages a pwritev(2) and fdatasync(2),
// into a file that was written before. Throws std::system_error. One thread.
#pragma once

#include <cstddef>
#include <string>

#include "daemon/base/fd.h"

namespace hikyaku::bench {

class RawLog {
 public:
  // Makes the file.
  explicit RawLog(const std::string& path);
  // Messages a second, measured for `seconds`.
  double rate(std::size_t message_size, double seconds);

 private:
  void write_batch(const std::string& message);

  Fd file_;
  std::size_t end_ = 0;
};

}  // namespace hikyaku::bench
