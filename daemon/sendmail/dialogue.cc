// SPDX-License-Identifier: MIT
#include "daemon/sendmail/dialogue.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "daemon/base/text.h"

namespace hikyaku::sendmail {
namespace {

using Clock = std::chrono::steady_clock;

std::unexpected<LinkError> link_error(LinkErrorKind kind, int error_number) {
  return fail(kind, os_error_text(error_number));
}

Result<Fd, LinkError> connect_fd(int family, const sockaddr* address, socklen_t length, Timeout timeout) {
  Fd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return link_error(LinkErrorKind::unreachable, errno);
  auto until = Clock::now() + timeout;
  // connect() to a Unix socket with a full backlog fails with EAGAIN, and poll() does not report when there
  // is room.
  while (::connect(fd.get(), address, length) != 0 && errno != EISCONN) {
    if (errno == EINPROGRESS && !wait_for(fd.get(), POLLOUT, timeout))
      return link_error(LinkErrorKind::timeout, ETIMEDOUT);
    if (errno == EAGAIN && Clock::now() < until) {
      ::poll(nullptr, 0, 10);
    } else if (errno != EINPROGRESS && errno != EINTR && errno != EALREADY) {
      bool is_absent = errno == ENOENT || errno == ECONNREFUSED;
      return link_error(is_absent ? LinkErrorKind::no_listener : LinkErrorKind::unreachable, errno);
    }
  }
  return fd;
}

}  // namespace

bool wait_for(int fd, short events, Timeout timeout) {
  auto until = Clock::now() + timeout;
  while (true) {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd waited{fd, events, 0};
    int ready = ::poll(&waited, 1, left > 0 ? static_cast<int>(left) : 0);
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

Result<Fd, LinkError> connect_to(const std::string& unix_socket, Timeout timeout) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (unix_socket.size() >= sizeof address.sun_path)
    return link_error(LinkErrorKind::unreachable, ENAMETOOLONG);
  std::memcpy(address.sun_path, unix_socket.data(), unix_socket.size());
  return connect_fd(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address, timeout);
}

Result<Fd, LinkError> connect_to(const Endpoint& endpoint, Timeout timeout) {
  sockaddr_storage address = endpoint.to_sockaddr();
  socklen_t length = endpoint.address.is_v6() ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  return connect_fd(address.ss_family, reinterpret_cast<const sockaddr*>(&address), length, timeout);
}

Result<void, LinkError> Dialogue::send_lines(std::string_view text, Timeout timeout) {
  if (watch_)
    for (std::string_view line : split(text, '\n'))
      if (!line.empty()) watch_(true, line.substr(0, line.size() - 1));
  return send_bytes(text, timeout);
}

Result<void, LinkError> Dialogue::send_bytes(std::string_view bytes, Timeout timeout) {
  while (!bytes.empty()) {
    ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!wait_for(fd_.get(), POLLOUT, timeout)) return link_error(LinkErrorKind::timeout, ETIMEDOUT);
    } else if (errno != EINTR) {
      return link_error(LinkErrorKind::lost, errno);
    }
  }
  return {};
}

Result<mail::Reply, LinkError> Dialogue::reply(Timeout timeout) {
  mail::ReplyParser parser;
  while (true) {
    auto text = line(timeout);
    if (!text) return std::unexpected(text.error());
    auto state = parser.feed(*text);
    if (state == mail::ReplyParser::State::complete) return parser.take();
    if (state != mail::ReplyParser::State::more)
      return fail(LinkErrorKind::nonsense, "the server there does not speak SMTP");
  }
}

Result<std::string, LinkError> Dialogue::line(Timeout timeout) {
  auto until = Clock::now() + timeout;
  while (in_.find('\n') == in_.npos) {
    char bytes[4096];
    ssize_t got = ::recv(fd_.get(), bytes, sizeof bytes, 0);
    if (got > 0) in_.append(bytes, static_cast<std::size_t>(got));
    if (in_.size() > mail::kMaxReplyBytes) return fail(LinkErrorKind::nonsense, "the reply is too long");
    if (got == 0) return fail(LinkErrorKind::lost, "the connection was closed");
    auto left = std::chrono::ceil<Timeout>(until - Clock::now());
    bool must_wait = got < 0 && errno == EAGAIN;
    if (must_wait && !wait_for(fd_.get(), POLLIN, left))
      return fail(LinkErrorKind::timeout, "no answer in time");
    if (got < 0 && errno != EAGAIN && errno != EINTR) return link_error(LinkErrorKind::lost, errno);
  }
  std::size_t end = in_.find('\n');
  std::string text = in_.substr(0, end > 0 && in_[end - 1] == '\r' ? end - 1 : end);
  in_.erase(0, end + 1);
  if (watch_) watch_(false, text);
  return text;
}

}  // namespace hikyaku::sendmail
