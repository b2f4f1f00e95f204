// SPDX-License-Identifier: MIT
#include "daemon/io/nursery.h"

#include <utility>

#include "daemon/base/error.h"

namespace hikyaku::io {

Nursery::Nursery(Loop& loop, std::function<void(const std::string&)> on_exception)
    : ended_(loop), on_exception_(std::move(on_exception)) {}

Nursery::~Nursery() { check(size_ == 0, "a nursery went with tasks in it"); }

void Nursery::spawn(Task<void> task) { own(std::move(task)); }

detail::Root Nursery::own(Task<void> task) {
  ++size_;
  try {
    co_await std::move(task);
  } catch (const std::exception& error) {
    report(error.what());
  }
  if (--size_ == 0) ended_.notify();
}

void Nursery::report(const std::string& what) {
  check(static_cast<bool>(on_exception_), what.c_str());
  on_exception_(what);
}

Task<Woken> Nursery::drained(Until until) {
  while (size_ != 0) {
    Woken woken = co_await ended_.wait(until);
    if (woken != Woken::ready) co_return woken;
  }
  co_return Woken::ready;
}

}  // namespace hikyaku::io
