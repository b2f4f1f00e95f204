// SPDX-License-Identifier: MIT
// A libuv stream handle that deletes itself in its close callback, and the coroutine that reads and the one
// that writes. Internal to daemon/io: socket_stream.cc and listener.cc own one each through a pointer and end
// it with close(), never with delete.
#pragma once

#include <uv.h>

#include <optional>
#include <span>
#include <string>

#include "daemon/io/loop.h"
#include "daemon/io/stream.h"

namespace hikyaku::io {

class Socket {
 public:
  enum class Family { tcp, unix_domain };
  Socket(Loop& loop, Family family);
  void close();

  Loop& loop() { return loop_; }
  Family family() const { return family_; }
  uv_stream_t* stream() { return &handle_.stream; }
  uv_tcp_t* tcp() { return &handle_.tcp; }
  uv_pipe_t* pipe() { return &handle_.pipe; }
  static Socket& of(void* handle) { return *static_cast<Socket*>(static_cast<uv_handle_t*>(handle)->data); }

  // TCP_NODELAY. What a listening socket accepts inherits it.
  void send_at_once();
  // Once connected or accepted: reads ahead up to 16 KiB.
  void start();
  Task<Result<std::size_t, IoError>> read_some(std::span<char> into, Until until);
  Task<Result<void, IoError>> write(std::string_view bytes, Until until);
  Task<Result<void, IoError>> connect(Endpoint to, Until until);
  Task<Result<void, IoError>> connect(std::string path, Until until);
  Result<void, IoError> shut_down();
  std::optional<Endpoint> peer();
  std::optional<Endpoint> local();

 private:
  ~Socket() = default;
  static void give_buffer(uv_handle_t* handle, std::size_t, uv_buf_t* buffer);
  static void on_read(uv_stream_t* stream, ssize_t got, const uv_buf_t* buffer);
  static void on_connect(uv_connect_t* request, int status);
  std::size_t take(std::span<char> into);
  Task<Result<void, IoError>> connected(int started, Until until);
  Task<Result<void, IoError>> write_rest(std::string_view rest, Until until);

  Loop& loop_;
  Family family_;
  union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } handle_{};
  Waiter reader_;
  Waiter writer_;
  std::string inbox_;       // read ahead of a reader
  std::span<char> into_;    // the parked reader's buffer
  std::size_t filled_ = 0;  // of it
  bool is_reading_ = false;
  std::optional<int> ended_;  // end of file or a read error, libuv's number
  std::optional<int> written_;
  uv_connect_t connecting_{};
};

}  // namespace hikyaku::io
