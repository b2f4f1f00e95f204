// SPDX-License-Identifier: MIT
// Requests to the daemon over its control socket: HTTP/1.0, one request a connection. Only the group may
// connect to the socket, so the privilege is used for that; the daemon decides by the caller's uid.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/sendmail/exit.h"

namespace hikyaku::sendmail {

struct HttpRequest {
  std::string method = "GET";
  std::string target;  // "/v1/queue?format=postfix", percent-encoded
  std::string body;    // JSON
};

// The whole request: "POST /v1/… HTTP/1.0", header and body.
std::string to_text(const HttpRequest& request);

// The status and the length of the header, from the first bytes of an answer.
struct HttpHead {
  int status = 0;
  std::size_t length = 0;  // of status line and header, empty line included
};
// Returns nullopt while the header is incomplete; the status is 0 if `bytes` is not an HTTP answer.
std::optional<HttpHead> parse_http_head(std::string_view bytes);

// Passes the body of a 2yz answer to `take`, in pieces. Any other answer is a failure with the daemon's text.
// Waits `timeout` seconds for each piece.
Result<void, Failure> ask_daemon(const std::string& socket, const HttpRequest& request, unsigned timeout,
                                 const std::function<void(std::string_view)>& take);

// Checks that the daemon answers at all within a few seconds; to be called before a request that may take
// long.
inline constexpr unsigned kAliveTimeout = 5;  // seconds
Result<void, Failure> check_alive(const std::string& socket, unsigned timeout = kAliveTimeout);

}  // namespace hikyaku::sendmail
