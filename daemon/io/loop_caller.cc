// SPDX-License-Identifier: MIT
#include "daemon/io/loop_caller.h"

#include "daemon/base/error.h"

namespace hikyaku::io {

LoopCaller::LoopCaller(Loop& loop) : loop_(loop), core_(std::make_shared<Core>(this)), nursery_(loop) {}

LoopCaller::~LoopCaller() { check(core_->caller == nullptr, "a LoopCaller is closed before its end"); }

Task<void> LoopCaller::close() {
  {
    std::lock_guard lock(core_->lock);
    core_->is_closed = true;
  }
  core_->caller = nullptr;
  core_->changed.notify_all();
  cancel_.request();
  co_await nursery_.drained({});
}

}  // namespace hikyaku::io
