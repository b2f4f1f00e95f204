// SPDX-License-Identifier: MIT
// The head of a request to the control socket (RFC 9112), of which only a plain and bounded form is
// understood, since anybody who is logged in may connect: GET and POST, one body with a Content-Length, no
// ranges, transfer codings or compression. Fields that mean nothing here are passed over. An HTTP library
// would bring all of those back, and its server takes a listening socket of its own. Pure.
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
  std::string method;                             // "GET" or "POST"
  std::string path;                               // percent-decoded (RFC 3986 2.1), without the query
  std::map<std::string, std::string> parameters;  // the query's, decoded; of those with one name the first
  std::string accept;                             // what the client takes, in ASCII; empty: anything
  std::size_t body = 0;                           // length of what follows in bytes, at most kMaxBody
  bool is_chunked_known = false;                  // HTTP/1.1: an answer of unknown length goes in chunks
  bool wants_continue = false;                    // the client waits for 100 before it sends the body
};

// The kind is HTTP's status code.
using HeadRefusal = Error<int>;

// Where the head in `text` ends, behind its empty line; 0: more is to come.
std::size_t head_length(std::string_view text);
// `head`: all of it, as head_length() says.
Result<RequestHead, HeadRefusal> parse_request_head(std::string_view head);

}  // namespace hikyaku::control
