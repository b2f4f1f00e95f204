// SPDX-License-Identifier: MIT
// Asking the daemon over its control socket: HTTP/1.0, one request a connection. The socket is the group's,
// so the connection is made with the privilege; the daemon goes by the caller's uid.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/sendmail/exit.h"

namespace hikyaku::sendmail {

struct HttpRequest {
  std::string method = "GET";
  std::string target;  // "/v1/queue?format=postfix", encoded
  std::string body;    // JSON
};

// "POST /v1/… HTTP/1.0", header and body.
std::string to_text(const HttpRequest& request);

// The status line and the header's end, told by the first bytes of an answer.
struct HttpHead {
  int status = 0;
  std::size_t length = 0;  // of the head, with the empty line
};
// Nothing while the head is not complete; status 0 if it is none.
std::optional<HttpHead> parse_http_head(std::string_view bytes);

// `take` gets the body of a 2yz answer, in pieces. Any other answer is a failure with the daemon's own words.
// Waits `patience` seconds for each piece.
Result<void, Failure> ask_daemon(const std::string& socket, const HttpRequest& request, unsigned patience,
                                 const std::function<void(std::string_view)>& take);

// Whether the daemon's threads say anything at all, within a few seconds: to be asked before what may take
// long.
inline constexpr unsigned kAliveTimeout = 5;  // seconds
Result<void, Failure> check_alive(const std::string& socket, unsigned timeout = kAliveTimeout);

}  // namespace hikyaku::sendmail
