// SPDX-License-Identifier: MIT
// Signals as events of the loop. A signal that arrives while no next() waits is kept; several of one kind may
// become one, as with kill(2). While this object exists these signals do not end the process. The loop's
// thread.
#pragma once

#include <deque>
#include <vector>

#include "daemon/io/loop.h"

namespace hikyaku::io {

class Signals {
 public:
  // `numbers` as in signal(7). The loop outlives this.
  Signals(Loop& loop, const std::vector<int>& numbers);
  Signals(const Signals&) = delete;
  ~Signals();

  // The next one's number. Errors: timeout, cancelled.
  Task<Result<int, IoError>> next(Until until);

 private:
  struct Handle;

  std::deque<int> arrived_;
  Waiter waiter_;
  std::vector<Handle*> handles_;  // they delete themselves once libuv has closed them
};

}  // namespace hikyaku::io
