// SPDX-License-Identifier: MIT
// Blocking work on libuv's pool. It cannot be cancelled; the awaiter always sees its end.
#pragma once

#include <exception>
#include <functional>
#include <optional>

#include "daemon/io/loop.h"

namespace hikyaku::io {

// Runs `work` on a pool thread and resumes when it has returned. `work` must not throw.
Task<void> run_on_pool(Loop& loop, std::function<void()> work);

}  // namespace hikyaku::io
