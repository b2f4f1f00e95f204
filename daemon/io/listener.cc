// SPDX-License-Identifier: MIT
#include "daemon/io/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/io/loop.h"
#include "daemon/io/socket.h"
#include "daemon/io/socket_stream.h"

namespace hikyaku::io {
namespace {

constexpr int kBacklog = 4096;  // the kernel caps it at net.core.somaxconn
constexpr std::size_t kAcceptedAhead = 64;

std::unexpected<IoError> last_error() { return std::unexpected(from_uv(-errno)); }

Result<Fd, IoError> bind_socket(const sockaddr* address, socklen_t length) {
  Fd fd(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return last_error();
  int on = 1;
  if (address->sa_family != AF_UNIX) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address->sa_family == AF_INET6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (::bind(fd.get(), address, length) != 0) return last_error();
  return fd;
}

}  // namespace

Listener::Listener(Loop& loop, Socket* socket) : socket_(socket), arrived_(loop) {
  socket->stream()->data = this;
}

Listener::~Listener() {
  for (Socket* connection : accepted_) connection->close();
  socket_->stream()->data = socket_;
  socket_->close();
  if (!path_.empty()) ::unlink(path_.c_str());
}

Result<std::unique_ptr<Listener>, IoError> Listener::adopt(Loop& loop, Fd fd) {
  auto socket = open_socket(loop, std::move(fd));
  if (!socket) return std::unexpected(socket.error());
  (*socket)->send_at_once();
  std::unique_ptr<Listener> listener(new Listener(loop, *socket));
  int listening = uv_listen((*socket)->stream(), kBacklog, on_connection);
  if (listening != 0) return std::unexpected(from_uv(listening));
  return listener;
}

void Listener::on_connection(uv_stream_t* listening, int status) {
  auto* self = static_cast<Listener*>(listening->data);
  if (status != 0) return;  // aborted before we took it
  self->is_waiting_ = true;
  self->take_connections();
}

void Listener::take_connections() {
  if (is_waiting_ && accepted_.size() < kAcceptedAhead) {
    is_waiting_ = false;
    auto* connection = new Socket(arrived_.loop(), socket_->family());
    if (uv_accept(socket_->stream(), connection->stream()) == 0)
      accepted_.push_back(connection);
    else
      connection->close();
  }
  if (!accepted_.empty()) arrived_.wake();
}

Task<Result<StreamPtr, IoError>> Listener::accept(Until until) {
  while (accepted_.empty()) {
    Woken woken = co_await arrived_.park(until);
    if (woken != Woken::ready) co_return std::unexpected(to_error(woken));
  }
  Socket* connection = accepted_.front();
  accepted_.pop_front();
  connection->start();
  take_connections();
  co_return make_socket_stream(connection);
}

std::optional<Endpoint> Listener::local() const { return socket_->local(); }

std::string Listener::name() const {
  auto at = local();
  return at ? at->to_text() : path_;
}

Result<std::unique_ptr<Listener>, IoError> Listener::listen_tcp(Loop& loop, Endpoint at) {
  sockaddr_storage address = at.to_sockaddr();
  socklen_t length = at.address.is_v6() ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  auto fd = bind_socket(reinterpret_cast<sockaddr*>(&address), length);
  if (!fd) return fail(fd.error().kind, cat("cannot listen on ", at.to_text(), ": ", fd.error().text));
  return adopt(loop, std::move(*fd));
}

Result<std::unique_ptr<Listener>, IoError> Listener::listen_unix(Loop& loop, std::string path,
                                                                 unsigned mode) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(IoErrorKind::system, cat(path, ": too long for a socket's path"));
  path.copy(address.sun_path, path.size());
  ::unlink(path.c_str());
  auto fd = bind_socket(reinterpret_cast<sockaddr*>(&address), sizeof address);
  if (!fd) return fail(fd.error().kind, cat("cannot listen on ", path, ": ", fd.error().text));
  ::chmod(path.c_str(), mode);
  auto listener = adopt(loop, std::move(*fd));
  if (listener) (*listener)->path_ = std::move(path);
  return listener;
}

}  // namespace hikyaku::io
