// SPDX-License-Identifier: MIT
#include "daemon/sendmail/control.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "daemon/base/json_value.h"
#include "daemon/base/text.h"
#include "daemon/sendmail/dialogue.h"
#include "daemon/sendmail/process_hygiene.h"

namespace hikyaku::sendmail {
namespace {

constexpr std::size_t kReceivePiece = 16 * 1024;
constexpr std::size_t kMostOfHead = 64 * 1024;
constexpr std::size_t kMostOfError = 64 * 1024;

Exit exit_of(int status) {
  if (status == 403) return Exit::no_permission;
  if (status == 422 || status == 400) return Exit::damaged;
  return status == 503 || status == 429 ? Exit::try_again : Exit::unavailable;
}

std::unexpected<Failure> no_answer(const std::string& socket, std::string_view why) {
  return fail(Exit::unavailable, cat("hikyakud does not answer on ", socket, ": ", why));
}

std::unexpected<Failure> hung(const std::string& socket) {
  return fail(Exit::try_again, cat("hikyakud does not respond on ", socket, "; try again later"));
}

std::unexpected<Failure> unconnected(const std::string& socket, const LinkError& error) {
  if (error.kind == LinkErrorKind::timeout) return hung(socket);
  if (error.kind != LinkErrorKind::no_listener) return no_answer(socket, error.text);
  return fail(Exit::unavailable, cat("hikyakud is not running (", socket, ": ", error.text, ")"));
}

Result<Fd, LinkError> connect(const std::string& socket) {
  WithPrivilege privilege;
  return connect_to(socket, Timeout(kAliveTimeout));
}

class Exchange {
 public:
  Exchange(const std::string& socket, Fd fd, Timeout timeout)
      : socket_(socket), fd_(std::move(fd)), timeout_(timeout) {}

  // Reads until the answer's header is complete.
  Result<int, Failure> begin(std::string_view request) {
    if (!send(request)) return no_answer(socket_, os_error_text(errno));
    while (!head_ && bytes_.size() < kMostOfHead && receive()) head_ = parse_http_head(bytes_);
    if (timed_out_) return hung(socket_);
    if (!head_ || head_->status == 0) return no_answer(socket_, "its answer is not HTTP");
    bytes_.erase(0, head_->length);
    return head_->status;
  }

  Result<void, Failure> run(std::string_view request, const std::function<void(std::string_view)>& take) {
    auto status = begin(request);
    if (!status) return std::unexpected(status.error());
    if (*status / 100 != 2) return refused();
    do {
      take(bytes_);
      bytes_.clear();
    } while (receive());
    if (timed_out_) return hung(socket_);
    return broken_ ? no_answer(socket_, "the connection was lost before the answer was complete")
                   : Result<void, Failure>();
  }

 private:
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
      if (sent < 0 && (errno != EAGAIN || !wait_for(fd_.get(), POLLOUT, timeout_)) && errno != EINTR)
        return false;
    }
    return true;
  }

  // Appends to bytes_; returns false at the end, or if the connection broke (`broken_`).
  bool receive() {
    while (true) {
      std::size_t held = bytes_.size();
      bytes_.resize(held + kReceivePiece);
      ssize_t got = ::recv(fd_.get(), bytes_.data() + held, kReceivePiece, 0);
      bytes_.resize(held + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
      if (got >= 0) return got > 0;
      int error = errno;
      timed_out_ = error == EAGAIN && !wait_for(fd_.get(), POLLIN, timeout_);
      broken_ = timed_out_ || (error != EAGAIN && error != EINTR);
      if (broken_) return false;
    }
  }

  Result<void, Failure> refused() {
    while (bytes_.size() < kMostOfError && receive()) continue;
    auto json = parse_json(bytes_);
    const JsonValue* error = json ? json->find("error") : nullptr;
    if (error != nullptr && error->text() != nullptr)
      return fail(exit_of(head_->status), still_printable(*error->text(), 2000));
    return fail(exit_of(head_->status),
                cat("hikyakud answered with HTTP status ", std::to_string(head_->status)));
  }

  const std::string& socket_;
  Fd fd_;
  Timeout timeout_;
  std::string bytes_;
  std::optional<HttpHead> head_;
  bool timed_out_ = false;
  bool broken_ = false;
};

}  // namespace

std::string to_text(const HttpRequest& request) {
  std::string head = cat(request.method, " ", request.target, " HTTP/1.0\r\nHost: localhost\r\n");
  if (!request.body.empty())
    head += cat("Content-Type: application/json\r\nContent-Length: ", std::to_string(request.body.size()),
                "\r\n");
  return cat(head, "\r\n", request.body);
}

std::optional<HttpHead> parse_http_head(std::string_view bytes) {
  std::size_t end = bytes.find("\r\n\r\n");
  if (end == bytes.npos) return std::nullopt;
  auto status =
      bytes.starts_with("HTTP/1.") ? parse_number(bytes.substr(std::min<std::size_t>(9, end), 3)) : 0;
  return HttpHead{static_cast<int>(status.value_or(0)), end + 4};
}

Result<void, Failure> ask_daemon(const std::string& socket, const HttpRequest& request, unsigned timeout,
                                 const std::function<void(std::string_view)>& take) {
  auto fd = connect(socket);
  if (!fd) return unconnected(socket, fd.error());
  return Exchange(socket, std::move(*fd), Timeout(timeout)).run(to_text(request), take);
}

Result<void, Failure> check_alive(const std::string& socket, unsigned timeout) {
  auto fd = connect(socket);
  if (!fd) return unconnected(socket, fd.error());
  auto status = Exchange(socket, std::move(*fd), Timeout(timeout))
                    .begin(to_text({.target = "/v1/version", .body = {}}));
  if (!status) return std::unexpected(status.error());
  return {};
}

}  // namespace hikyaku::sendmail
