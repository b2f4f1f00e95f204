// SPDX-License-Identifier: MIT
// An SMTP client's connection to the daemon: sends lines, reads replies. Blocks, but never beyond a time-out.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "daemon/base/error.h"
#include "daemon/base/fd.h"
#include "daemon/base/ip.h"
#include "daemon/mail/smtp_reply.h"

namespace hikyaku::sendmail {

enum class LinkErrorKind : std::uint8_t {
  no_listener,  // nothing listens there
  unreachable,
  lost,
  timeout,
  nonsense,
};
using LinkError = Error<LinkErrorKind>;

using Timeout = std::chrono::seconds;

// Returns a connected non-blocking stream socket.
Result<Fd, LinkError> connect_to(const std::string& unix_socket, Timeout timeout);
Result<Fd, LinkError> connect_to(const Endpoint& endpoint, Timeout timeout);

// Waits until `fd` is ready for these poll events; returns false after `timeout`.
bool wait_for(int fd, short events, Timeout timeout);

class Dialogue {
 public:
  // Called with each line sent (true) or received, without its line end; for -v.
  using Watch = std::function<void(bool sent, std::string_view line)>;

  Dialogue(Fd fd, Watch watch) : fd_(std::move(fd)), watch_(std::move(watch)) {}

  // `text` is one line or several, each with CR LF.
  Result<void, LinkError> send_lines(std::string_view text, Timeout timeout);
  // For content: not passed to the Watch.
  Result<void, LinkError> send_bytes(std::string_view bytes, Timeout timeout);
  Result<mail::Reply, LinkError> reply(Timeout timeout);

 private:
  Result<std::string, LinkError> line(Timeout timeout);

  Fd fd_;
  Watch watch_;
  std::string in_;
};

}  // namespace hikyaku::sendmail
