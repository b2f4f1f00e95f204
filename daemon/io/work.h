// SPDX-License-Identifier: MIT
// Blocking work on libuv's pool. It cannot be cancelled; the awaiter always sees its end.
#pragma once

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "daemon/io/loop.h"

namespace hikyaku::io {

// Runs `work` on a pool thread, and resumes when it has returned. `work` must not throw; what it refers to
// must live until then.
Task<void> run_on_pool(Loop& loop, std::function<void()> work);

// The same of work with a value, which it returns.
template <class F>
  requires(!std::is_void_v<std::invoke_result_t<F&>>)
Task<std::invoke_result_t<F&>> run_on_pool(Loop& loop, F work) {
  std::optional<std::invoke_result_t<F&>> value;
  co_await run_on_pool(loop, std::function<void()>([&] { value.emplace(work()); }));
  co_return std::move(*value);
}

}  // namespace hikyaku::io
