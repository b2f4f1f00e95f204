// SPDX-License-Identifier: MIT
// Tells when a socket that another library owns (c-ares in daemon/dns) can be read or written: the glue
// between such a library and the event loop. Never reads, writes or closes the socket. The loop's thread.
#pragma once

#include <functional>

#include "daemon/io/loop.h"

namespace hikyaku::io {

class SocketWatch {
 public:
  using OnReady = std::function<void(bool readable, bool writable)>;
  // `socket` stays open until the watch has gone. `on_ready` is called from a libuv callback, so it may wake
  // but not resume; it may destroy the watch. After an error on the socket it is called with both.
  SocketWatch(Loop& loop, int socket, OnReady on_ready);
  SocketWatch(const SocketWatch&) = delete;
  ~SocketWatch();

  void watch(bool reading, bool writing);

 private:
  struct Handle;

  Handle* handle_;  // deletes itself once libuv has closed it
};

}  // namespace hikyaku::io
