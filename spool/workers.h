// SPDX-License-Identifier: MIT
// Runs the spool's blocking work on libuv's pool, or, with the simulated disk, at once on the loop's thread,
// so that the order of all disk operations depends on the calls alone.
#pragma once

#include <type_traits>
#include <utility>

#include "daemon/io/loop.h"
#include "daemon/io/work.h"
#include "spool/options.h"

namespace hikyaku::spool {

class Workers {
 public:
  Workers(io::Loop& loop, CommitterMode mode) : loop_(loop), mode_(mode) {}

  // Suspends until `work` has returned, and returns its value. What it refers to lives until then.
  template <class F>
  Task<std::invoke_result_t<F&>> run(F work) {
    if (mode_ == CommitterMode::inline_on_loop) return run_here(std::move(work));
    return io::run_on_pool(loop_, std::move(work));
  }

 private:
  template <class F>
  static Task<std::invoke_result_t<F&>> run_here(F work) {
    co_return work();
  }

  io::Loop& loop_;
  CommitterMode mode_;
};

}  // namespace hikyaku::spool
