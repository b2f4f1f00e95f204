// SPDX-License-Identifier: MIT
// One connection to the daemon, as an SMTP client sees it: lines out, replies in. Blocks, but never beyond a
// deadline.
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
  no_listener,  // nobody listens there
  unreachable,
  lost,
  timeout,
  nonsense,
};
using LinkError = Error<LinkErrorKind>;

using Patience = std::chrono::seconds;

// A connected stream socket, not blocking.
Result<Fd, LinkError> connect_to(const std::string& unix_socket, Patience patience);
Result<Fd, LinkError> connect_to(const Endpoint& endpoint, Patience patience);

// Waits until `fd` is ready for these poll events; false if `patience` ran out first.
bool wait_for(int fd, short events, Patience patience);

class Dialogue {
 public:
  // Told each line that is sent (true) or received, without line end; for -v.
  using Watch = std::function<void(bool sent, std::string_view line)>;

  Dialogue(Fd fd, Watch watch) : fd_(std::move(fd)), watch_(std::move(watch)) {}

  // `text` is one line or several, each with CR LF.
  Result<void, LinkError> send_lines(std::string_view text, Patience patience);
  // Content: not shown to anybody.
  Result<void, LinkError> send_bytes(std::string_view bytes, Patience patience);
  Result<mail::Reply, LinkError> reply(Patience patience);

 private:
  Result<std::string, LinkError> line(Patience patience);

  Fd fd_;
  Watch watch_;
  std::string in_;
};

}  // namespace hikyaku::sendmail
