// SPDX-License-Identifier: MIT
#include "daemon/io/signals.h"

#include "daemon/base/error.h"

namespace hikyaku::io {

struct Signals::Handle {
  uv_signal_t signal{};
  Signals* owner = nullptr;

  static void on_signal(uv_signal_t* signal, int number) {
    Signals* owner = static_cast<Handle*>(signal->data)->owner;
    owner->arrived_.push_back(number);
    owner->waiter_.wake();
  }
  static void on_close(uv_handle_t* handle) { delete static_cast<Handle*>(handle->data); }
};

Signals::Signals(Loop& loop, const std::vector<int>& numbers) : waiter_(loop) {
  for (int number : numbers) {
    auto* handle = new Handle{.owner = this};
    handle->signal.data = handle;
    uv_signal_init(loop.uv(), &handle->signal);
    check(uv_signal_start(&handle->signal, Handle::on_signal, number) == 0, "a signal cannot be caught");
    handles_.push_back(handle);
  }
}

Signals::~Signals() {
  for (Handle* handle : handles_) uv_close(reinterpret_cast<uv_handle_t*>(&handle->signal), Handle::on_close);
}

Task<Result<int, IoError>> Signals::next(Until until) {
  while (arrived_.empty()) {
    Woken woken = co_await waiter_.park(until);
    if (woken != Woken::ready) co_return std::unexpected(to_error(woken));
  }
  int number = arrived_.front();
  arrived_.pop_front();
  co_return number;
}

}  // namespace hikyaku::io
