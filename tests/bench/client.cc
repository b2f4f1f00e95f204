// SPDX-License-Identifier: MIT
#include "tests/bench/client.h"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "daemon/base/text.h"

namespace hikyaku::bench {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

// Whether `text` ends with the last line of a reply: "250 ok", not "250-more" (RFC 5321 4.2.1).
bool is_complete(std::string_view text) {
  if (!text.ends_with('\n')) return false;
  const auto before = text.rfind('\n', text.size() - 2);
  const auto last = before == text.npos ? text : text.substr(before + 1);
  return last.size() > 3 && last[3] != '-';
}

}  // namespace

// A blocking connect costs nothing on loopback as long as the relay's backlog has room, and one that waits
// shows in the figure as it would for an app.
void Client::connect() {
  socket_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&relay_), sizeof relay_) != 0)
    fail("connect");
  const int on = 1;
  setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  epoll_event event{.events = EPOLLIN, .data = {.ptr = this}};
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, socket_.get(), &event) != 0) fail("epoll_ctl");
  awaits_ = Awaits::greeting;
}

bool Client::advance() {
  char bytes[4096];
  const auto count = recv(socket_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return true;
  if (count < 0) fail("recv");
  if (count == 0) throw std::runtime_error("the relay hung up");
  reply_.append(bytes, static_cast<std::size_t>(count));
  return is_complete(reply_) ? answer() : true;
}

bool Client::answer() {
  switch (awaits_) {
    case Awaits::greeting: expect("220"); return say("EHLO client.example\r\n", Awaits::ehlo);
    case Awaits::ehlo: expect("250"); return say_mail();
    case Awaits::mail: expect("250"); return say_rcpt();
    case Awaits::rcpt: expect("250"); return say("DATA\r\n", Awaits::data);
    case Awaits::data:
      expect("354");
      return say(cat("X-Number: ", std::to_string(load_.begun++), "\r\n", load_.content),
                 Awaits::acknowledgement);
    case Awaits::acknowledgement:
      expect("250");
      load_.acknowledged++;
      return load_.reuse_connections && !load_.is_over ? say_mail() : say("QUIT\r\n", Awaits::goodbye);
    case Awaits::goodbye: break;
  }
  expect("221");
  socket_.reset();
  reply_.clear();
  if (!load_.is_over) connect();
  return !load_.is_over;
}

bool Client::say_mail() { return say("MAIL FROM:<a@src.example>\r\n", Awaits::mail); }

bool Client::say_rcpt() {
  const std::string label =
      load_.domains == 0 ? "" : cat("d", std::to_string(load_.addressed++ % load_.domains + 1), ".");
  return say(cat("RCPT TO:<b@", label, "dest.example>\r\n"), Awaits::rcpt);
}

void Client::expect(std::string_view code) const {
  if (!reply_.starts_with(code)) throw std::runtime_error(cat("not ", code, ": ", reply_));
}

bool Client::say(std::string_view text, Awaits next) {
  reply_.clear();
  awaits_ = next;
  if (send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()))
    fail("send");
  return true;
}

}  // namespace hikyaku::bench
