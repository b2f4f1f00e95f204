// SPDX-License-Identifier: MIT
// Connected TCP and Unix sockets as streams. TCP_NODELAY everywhere; each write is one system call where the
// kernel takes it whole.
#pragma once

#include <string>

#include "daemon/base/fd.h"
#include "daemon/io/loop.h"
#include "daemon/io/stream.h"

namespace hikyaku::io {

// One address, no look-up, no retry. Errors: refused, timeout, unreachable, access_denied, cancelled, system.
// `name` is what peer_name() returns.
Task<Result<StreamPtr, IoError>> connect_tcp(Loop& loop, Endpoint to, Until until, std::string name = {});
Task<Result<StreamPtr, IoError>> connect_unix(Loop& loop, std::string path, Until until);

// Takes over a connected, stream-oriented socket.
Result<StreamPtr, IoError> adopt_socket(Loop& loop, Fd socket);

// What listeners share with connected sockets. Internal to daemon/io.

class Socket;
// Takes the socket over.
StreamPtr make_socket_stream(Socket* socket, std::string peer_name = {});
// A libuv handle around a descriptor, not started. The caller owns the handle (Socket::close()).
Result<Socket*, IoError> open_socket(Loop& loop, Fd fd);

}  // namespace hikyaku::io
