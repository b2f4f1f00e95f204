// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "daemon/base/text.h"
#include "daemon/oauth/consent.h"

namespace hikyaku::oauth {
namespace {

constexpr std::size_t kLongestHead = 16 * 1024;
constexpr Duration kHeadTimeout = 5s;

constexpr std::string_view kDone =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nReferrer-Policy: "
    "no-referrer\r\nCache-Control: "
    "no-store\r\nConnection: close\r\n\r\nThat is all. You can close this window and go back to the "
    "terminal.\n";
constexpr std::string_view kNotFound =
    "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 10\r\nConnection: "
    "close\r\n\r\nNot found\n";

bool is_readable(int fd, Instant until) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - SystemClock().now()).count();
    if (left <= 0) return false;
    pollfd waits{.fd = fd, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&waits, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

// The target of a GET; empty for anything else, and for who does not say it in time.
std::string read_target(int fd, Instant until) {
  std::string head;
  while (head.find("\r\n\r\n") == std::string::npos) {
    if (head.size() > kLongestHead || !is_readable(fd, until)) return "";
    char block[2048];
    const ssize_t got = ::recv(fd, block, sizeof block, 0);
    if (got <= 0) return "";
    head.append(block, static_cast<std::size_t>(got));
  }
  const auto words = split(std::string_view(head).substr(0, head.find("\r\n")), ' ');
  return words.size() == 3 && words[0] == "GET" ? std::string(words[1]) : "";
}

void answer(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

}  // namespace

Result<RedirectListener, std::string> RedirectListener::open(std::uint16_t port) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (!fd || ::bind(fd.get(), raw, size) != 0 || ::listen(fd.get(), 8) != 0 ||
      ::getsockname(fd.get(), raw, &size) != 0)
    return std::unexpected(
        cat("cannot listen on 127.0.0.1:", std::to_string(port), ": ", os_error_text(errno)));
  return RedirectListener(std::move(fd), ntohs(address.sin_port));
}

Result<Redirect, std::string> RedirectListener::wait(const BrowserConsent& consent,
                                                     const mail::OAuthSettings& settings, Duration limit) {
  const Instant end = SystemClock().now() + limit;
  while (is_readable(fd_.get(), end)) {
    const Fd peer(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!peer) continue;
    const std::string target = read_target(peer.get(), std::min(end, SystemClock().now() + kHeadTimeout));
    Redirect redirect = understand_redirect(target, consent, settings);
    answer(peer.get(), redirect.kind == RedirectKind::not_ours ? kNotFound : kDone);
    if (redirect.kind != RedirectKind::not_ours) return redirect;
  }
  return std::unexpected("the browser has not come back in time");
}

}  // namespace hikyaku::oauth
