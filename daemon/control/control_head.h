// SPDX-License-Identifier: MIT
// The head of a request to the control socket (RFC 9112). Only a plain and bounded form is accepted, since
// every local user may connect: GET, POST and PUT, one body with a Content-Length, no ranges, transfer
// codings or compression. Other fields are ignored. An HTTP library would bring all of these back, and its
// server needs a listening socket of its own. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "daemon/base/error.h"

namespace hikyaku::control {

inline constexpr std::size_t kMaxHead = 8192;
inline constexpr std::size_t kMaxTarget = 2048;
inline constexpr std::size_t kMaxFields = 64;
inline constexpr std::size_t kMaxBody = std::size_t{1} << 20U;

struct RequestHead {
  std::string method;                             // "GET", "POST" or "PUT"
  std::string path;                               // percent-decoded (RFC 3986 2.1), without the query
  std::map<std::string, std::string> parameters;  // the query's, decoded; of those with one name the first
  std::string accept;                             // formats that the client accepts, in ASCII; empty: any
  std::size_t body = 0;                           // length in bytes, at most kMaxBody
  bool is_chunked_known = false;                  // HTTP/1.1: an answer of unknown length goes in chunks
  bool wants_continue = false;                    // the client waits for 100 before it sends the body
};

// The kind is HTTP's status code.
using HeadRefusal = Error<int>;

// The length of the head in `text`, with its empty line; 0 if the head is not complete.
std::size_t head_length(std::string_view text);
// `head` is the whole head, as long as head_length() says.
Result<RequestHead, HeadRefusal> parse_request_head(std::string_view head);

}  // namespace hikyaku::control
