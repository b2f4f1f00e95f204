// SPDX-License-Identifier: MIT
// What listeners share with connected sockets. Internal to daemon/io.
#pragma once

#include "daemon/base/fd.h"
#include "daemon/io/socket.h"

namespace hikyaku::io {

// Takes the socket over.
StreamPtr make_socket_stream(Socket* socket);
// A libuv handle around a descriptor, not started. The caller owns it (Socket::close()).
Result<Socket*, IoError> open_socket(Loop& loop, Fd fd);

}  // namespace hikyaku::io
