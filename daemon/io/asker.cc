// SPDX-License-Identifier: MIT
#include "daemon/io/asker.h"

#include "daemon/base/error.h"

namespace hikyaku::io {

Asker::Asker(Loop& loop) : loop_(loop), core_(std::make_shared<Core>(this)), nursery_(loop) {}

Asker::~Asker() { check(core_->asker == nullptr, "what answers questions is closed before it goes"); }

Task<void> Asker::closed() {
  {
    Lock lock(core_->mutex);
    core_->is_closed = true;
  }
  core_->asker = nullptr;
  core_->changed.notify_all();
  cancel_.request();
  co_await nursery_.drained({});
}

}  // namespace hikyaku::io
