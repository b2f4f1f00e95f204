// SPDX-License-Identifier: MIT
#include "daemon/io/socket_watch.h"

#include <utility>

#include "daemon/base/error.h"

namespace hikyaku::io {

struct SocketWatch::Handle {
  uv_poll_t poll{};
  OnReady on_ready;

  static void on_event(uv_poll_t* poll, int status, int events) {
    const bool failed = status < 0;
    static_cast<Handle*>(poll->data)
        ->on_ready(failed || (events & UV_READABLE) != 0, failed || (events & UV_WRITABLE) != 0);
  }
  static void on_close(uv_handle_t* handle) { delete static_cast<Handle*>(handle->data); }
};

SocketWatch::SocketWatch(Loop& loop, int socket, OnReady on_ready)
    : handle_(new Handle{.on_ready = std::move(on_ready)}) {
  handle_->poll.data = handle_;
  check(uv_poll_init(loop.uv(), &handle_->poll, socket) == 0, "a socket cannot be watched");
}

SocketWatch::~SocketWatch() { uv_close(reinterpret_cast<uv_handle_t*>(&handle_->poll), Handle::on_close); }

void SocketWatch::watch(bool reading, bool writing) {
  const int events = (reading ? UV_READABLE : 0) | (writing ? UV_WRITABLE : 0);
  if (events == 0)
    uv_poll_stop(&handle_->poll);
  else
    uv_poll_start(&handle_->poll, events, Handle::on_event);
}

}  // namespace hikyaku::io
