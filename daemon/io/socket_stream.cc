// SPDX-License-Identifier: MIT
#include "daemon/io/socket_stream.h"

#include <utility>

#include "daemon/io/loop.h"
#include "daemon/io/socket.h"

namespace hikyaku::io {
namespace {

class SocketStream final : public Stream {
 public:
  SocketStream(Socket* socket, std::string peer_name)
      : socket_(socket), peer_(socket->peer()), peer_name_(std::move(peer_name)) {}
  ~SocketStream() override { socket_->close(); }

  Task<Result<std::size_t, IoError>> read_some(std::span<char> into, Until until) override {
    return socket_->read_some(into, until);
  }
  Task<Result<void, IoError>> write(std::string_view bytes, Until until) override {
    return socket_->write(bytes, until);
  }
  Task<Result<void, IoError>> shut_down(Until) override { co_return socket_->shut_down(); }
  std::optional<Endpoint> peer() const override { return peer_; }
  std::optional<Endpoint> local() const override { return socket_->local(); }
  std::string_view peer_name() const override { return peer_name_; }
  std::optional<std::uint32_t> peer_uid() const override {
    uv_os_fd_t fd = -1;
    ucred caller{};
    socklen_t length = sizeof caller;
    bool known = socket_->family() == Socket::Family::unix_domain &&
                 uv_fileno(reinterpret_cast<uv_handle_t*>(socket_->pipe()), &fd) == 0 &&
                 ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &caller, &length) == 0;
    return known ? std::optional<std::uint32_t>(caller.uid) : std::nullopt;
  }

 private:
  Socket* socket_;
  std::optional<Endpoint> peer_;  // as it was when the connection began
  std::string peer_name_;
};

bool is_unix_socket(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  return ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0 &&
         address.ss_family == AF_UNIX;
}

}  // namespace

StreamPtr make_socket_stream(Socket* socket, std::string peer_name) {
  return std::make_unique<SocketStream>(socket, std::move(peer_name));
}

Result<Socket*, IoError> open_socket(Loop& loop, Fd fd) {
  auto* socket =
      new Socket(loop, is_unix_socket(fd.get()) ? Socket::Family::unix_domain : Socket::Family::tcp);
  int opened = socket->family() == Socket::Family::tcp ? uv_tcp_open(socket->tcp(), fd.get())
                                                       : uv_pipe_open(socket->pipe(), fd.get());
  if (opened != 0) {
    socket->close();
    return std::unexpected(from_uv(opened));
  }
  (void)fd.release();
  return socket;
}

Task<Result<StreamPtr, IoError>> connect_tcp(Loop& loop, Endpoint to, Until until, std::string name) {
  auto* socket = new Socket(loop, Socket::Family::tcp);
  auto connected = co_await socket->connect(to, until);
  if (connected) co_return make_socket_stream(socket, std::move(name));
  socket->close();
  co_return std::unexpected(connected.error());
}

Task<Result<StreamPtr, IoError>> connect_unix(Loop& loop, std::string path, Until until) {
  auto* socket = new Socket(loop, Socket::Family::unix_domain);
  auto connected = co_await socket->connect(std::move(path), until);
  if (connected) co_return make_socket_stream(socket);
  socket->close();
  co_return std::unexpected(connected.error());
}

Result<StreamPtr, IoError> adopt_socket(Loop& loop, Fd fd) {
  auto socket = open_socket(loop, std::move(fd));
  if (!socket) return std::unexpected(socket.error());
  (*socket)->send_at_once();
  (*socket)->start();
  return make_socket_stream(*socket);
}

}  // namespace hikyaku::io
