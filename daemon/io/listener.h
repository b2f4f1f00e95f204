// SPDX-License-Identifier: MIT
// Listening sockets. accept() is a coroutine like any other wait; running out of descriptors pauses it for a
// moment instead of spinning, and what waits in the backlog is served when there are some again.
#pragma once

#include <uv.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "daemon/base/fd.h"
#include "daemon/io/loop.h"
#include "daemon/io/stream.h"

namespace hikyaku::io {

class Socket;

class Listener {
 public:
  // Port 0 takes a free one; local() tells which. SO_REUSEADDR, IPV6_V6ONLY, a deep backlog.
  // Errors: address_in_use, access_denied, unreachable (the host lacks the family or the address), system.
  static Result<std::unique_ptr<Listener>, IoError> listen_tcp(Loop& loop, Endpoint at);
  // Replaces a stale socket file; `mode` as for chmod.
  static Result<std::unique_ptr<Listener>, IoError> listen_unix(Loop& loop, std::string path, unsigned mode);
  // A socket that listens already (LISTEN_FDS).
  static Result<std::unique_ptr<Listener>, IoError> adopt(Loop& loop, Fd socket);
  ~Listener();

  // The next connection. Errors: cancelled, timeout, system.
  Task<Result<StreamPtr, IoError>> accept(Until until);
  std::optional<Endpoint> local() const;
  std::string name() const;  // "127.0.0.1:25" or the path

 private:
  Listener(Loop& loop, Socket* socket);
  static void on_connection(uv_stream_t* listening, int status);
  void take_connections();

  Socket* socket_;
  std::string path_;
  std::deque<Socket*> accepted_;  // off the backlog, not yet asked for
  bool is_waiting_ = false;       // libuv holds one back until there is room
  Waiter arrived_;
};

}  // namespace hikyaku::io
