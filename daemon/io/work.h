// SPDX-License-Identifier: MIT
// Blocking work on libuv's pool. It cannot be cancelled; the awaiter always sees its end.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "daemon/base/error.h"
#include "daemon/io/loop.h"

namespace hikyaku::io {

// One call on a pool thread, from being queued to its end. Wait until it is done before destroying what the
// work refers to.
class PoolCall {
 public:
  PoolCall(Loop& loop, std::function<void()> work);
  bool is_done() const;
  Waiter::Park end();  // suspends until there may be an end

 private:
  struct Job;
  Loop::OutsideWork outside_;
  std::shared_ptr<Job> job_;
};

// Runs `work` on a pool thread, resumes when it has returned, and returns its value. `work` must not throw;
// what it refers to must live until then.
template <class F>
Task<std::invoke_result_t<F&>> run_on_pool(Loop& loop, F work) {
  using Value = std::invoke_result_t<F&>;
  if constexpr (std::is_void_v<Value>) {
    PoolCall call(loop, [&work] { work(); });
    while (!call.is_done()) {
      Woken woken = co_await call.end();
      check(woken == Woken::ready, "pool work has no deadline");
    }
  } else {
    std::optional<Value> value;
    PoolCall call(loop, [&work, &value] { value.emplace(work()); });
    while (!call.is_done()) {
      Woken woken = co_await call.end();
      check(woken == Woken::ready, "pool work has no deadline");
    }
    co_return std::move(*value);
  }
}

}  // namespace hikyaku::io
