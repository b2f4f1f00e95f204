// SPDX-License-Identifier: MIT
#include "daemon/io/socket.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "daemon/io/loop.h"

namespace hikyaku::io {
namespace {

constexpr std::size_t kReadAhead = 16384;

// The bytes that the kernel did not take at once. Owns them: a write that timed out leaves its buffer behind.
struct WriteRest {
  uv_write_t request{};
  std::string bytes;
};

std::optional<Endpoint> endpoint_of(int (*get)(const uv_tcp_t*, sockaddr*, int*), const uv_tcp_t* tcp) {
  sockaddr_storage address{};
  int length = sizeof address;
  if (get(tcp, reinterpret_cast<sockaddr*>(&address), &length) != 0) return std::nullopt;
  return Endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&address));
}

}  // namespace

Socket::Socket(Loop& loop, Family family) : loop_(loop), family_(family), reader_(loop), writer_(loop) {
  if (family == Family::tcp)
    uv_tcp_init(loop.uv(), tcp());
  else
    uv_pipe_init(loop.uv(), pipe(), 0);
  handle_.handle.data = this;
}

void Socket::close() {
  check(!reader_.is_parked() && !writer_.is_parked(), "a stream was closed under its reader or writer");
  uv_close(&handle_.handle, [](uv_handle_t* handle) { delete &of(handle); });
}

void Socket::send_at_once() {
  if (family_ == Family::tcp) uv_tcp_nodelay(tcp(), 1);
}

void Socket::start() {
  is_reading_ = uv_read_start(stream(), give_buffer, on_read) == 0;
  if (!is_reading_ && !ended_) ended_ = UV_ENOTCONN;
}

// A parked reader's own buffer, or one that all sockets share: it is emptied before the callback returns. None
// for a reader whose buffer was filled in this turn: it comes back in the same turn, and the next poll finds
// the rest for its next buffer.
void Socket::give_buffer(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
  static thread_local std::unique_ptr<char[]> shared(new char[kReadAhead]);
  Socket& self = of(handle);
  *buffer = uv_buf_init(nullptr, 0);
  if (self.filled_ > 0) return;
  *buffer = !self.into_.empty()
                ? uv_buf_init(self.into_.data(), static_cast<unsigned>(self.into_.size()))
                : uv_buf_init(shared.get(), static_cast<unsigned>(kReadAhead - self.inbox_.size()));
}

void Socket::on_read(uv_stream_t* stream, ssize_t got, const uv_buf_t* buffer) {
  Socket& self = of(stream);
  if (got == 0 || got == UV_ENOBUFS) return;
  if (got < 0) {
    self.ended_ = static_cast<int>(got);
  } else if (buffer->base == self.into_.data()) {
    self.filled_ = static_cast<std::size_t>(got);
  } else {
    self.inbox_.append(buffer->base, static_cast<std::size_t>(got));
  }
  if (got < 0 || self.inbox_.size() >= kReadAhead) {
    uv_read_stop(stream);
    self.is_reading_ = false;
  }
  self.reader_.wake();
}

std::size_t Socket::take(std::span<char> into) {
  std::size_t taken = std::min(into.size(), inbox_.size());
  std::copy_n(inbox_.begin(), taken, into.begin());
  inbox_.erase(0, taken);
  if (inbox_.empty()) inbox_.shrink_to_fit();
  return taken;
}

Task<Result<std::size_t, IoError>> Socket::read_some(std::span<char> into, Until until) {
  if (!inbox_.empty()) co_return take(into);
  if (!ended_ && !is_reading_) start();
  if (ended_) co_return std::unexpected(from_uv(*ended_));
  into_ = into;
  filled_ = 0;
  Woken woken = co_await reader_.park(until);
  into_ = {};
  std::size_t filled = std::exchange(filled_, 0);
  if (filled > 0) co_return filled;  // also when the deadline passed in the same turn
  if (woken != Woken::ready) co_return std::unexpected(to_error(woken));
  if (!inbox_.empty()) co_return take(into);
  co_return std::unexpected(from_uv(*ended_));
}

Task<Result<void, IoError>> Socket::write(std::string_view bytes, Until until) {
  if (until.cancel != nullptr && until.cancel->is_requested())
    co_return std::unexpected(to_error(Woken::cancelled));
  while (!bytes.empty()) {
    uv_buf_t buffer = uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
    int sent = uv_try_write(stream(), &buffer, 1);
    if (sent == UV_EAGAIN) break;
    if (sent < 0) co_return std::unexpected(from_uv(sent));
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  if (bytes.empty()) co_return Result<void, IoError>{};
  auto done = co_await write_rest(bytes, until);
  co_return done;
}

Task<Result<void, IoError>> Socket::write_rest(std::string_view rest, Until until) {
  auto* left = new WriteRest{.request = {}, .bytes = std::string(rest)};
  left->request.data = left;
  uv_buf_t buffer = uv_buf_init(left->bytes.data(), static_cast<unsigned>(left->bytes.size()));
  written_.reset();
  int started = uv_write(&left->request, stream(), &buffer, 1, [](uv_write_t* request, int status) {
    Socket& self = of(request->handle);
    delete static_cast<WriteRest*>(request->data);
    self.written_ = status;
    self.writer_.wake();
  });
  if (started != 0) {
    delete left;
    co_return std::unexpected(from_uv(started));
  }
  Woken woken = co_await writer_.park(until);
  if (!written_) co_return std::unexpected(to_error(woken));
  if (*written_ != 0) co_return std::unexpected(from_uv(*written_));
  co_return Result<void, IoError>{};
}

Task<Result<void, IoError>> Socket::connected(int started, Until until) {
  if (started != 0) co_return std::unexpected(from_uv(started));
  while (!written_) {
    Woken woken = co_await writer_.park(until);
    if (woken != Woken::ready) co_return std::unexpected(to_error(woken));
  }
  if (*written_ != 0) co_return std::unexpected(from_uv(*written_));
  send_at_once();
  start();
  co_return Result<void, IoError>{};
}

void Socket::on_connect(uv_connect_t* request, int status) {
  Socket& self = of(request->handle);
  self.written_ = status;
  self.writer_.wake();
}

Task<Result<void, IoError>> Socket::connect(Endpoint to, Until until) {
  sockaddr_storage address = to.to_sockaddr();
  written_.reset();
  int started = uv_tcp_connect(&connecting_, tcp(), reinterpret_cast<sockaddr*>(&address), on_connect);
  auto done = co_await connected(started, until);
  co_return done;
}

Task<Result<void, IoError>> Socket::connect(std::string path, Until until) {
  written_.reset();
  uv_pipe_connect(&connecting_, pipe(), path.c_str(), on_connect);
  auto done = co_await connected(0, until);
  co_return done;
}

Result<void, IoError> Socket::shut_down() {
  uv_os_fd_t fd = -1;
  uv_fileno(&handle_.handle, &fd);
  if (::shutdown(fd, SHUT_WR) != 0) return std::unexpected(from_uv(-errno));
  return {};
}

std::optional<Endpoint> Socket::peer() {
  return family_ == Family::tcp ? endpoint_of(uv_tcp_getpeername, tcp()) : std::nullopt;
}

std::optional<Endpoint> Socket::local() {
  return family_ == Family::tcp ? endpoint_of(uv_tcp_getsockname, tcp()) : std::nullopt;
}

}  // namespace hikyaku::io
