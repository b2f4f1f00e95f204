// SPDX-License-Identifier: MIT
// Where the spool's blocking work runs: on libuv's pool, or, with the simulated disk, at once on the loop's
// thread, so that the order of all disk operations depends on nothing but the calls.
#pragma once

#include <functional>

#include "daemon/io/loop.h"
#include "daemon/io/work.h"
#include "spool/options.h"

namespace hikyaku::spool {

class Workers {
 public:
  Workers(io::Loop& loop, CommitterMode mode) : loop_(loop), mode_(mode) {}

  // Suspends until `work` has returned. What it refers to lives until then.
  Task<void> run(std::function<void()> work) {
    if (mode_ == CommitterMode::inline_on_loop)
      work();
    else
      co_await io::run_on_pool(loop_, std::move(work));
  }

 private:
  io::Loop& loop_;
  CommitterMode mode_;
};

}  // namespace hikyaku::spool
