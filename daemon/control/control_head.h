// SPDX-License-Identifier: MIT
// The head of a request to the control socket, looked at before the HTTP library sees any of it: what comes
// from whoever may connect is bounded and of a plain form, and only the fields that mean something here go
// on. So the library never meets a range, a transfer coding, a compressed or multipart body, or a body
// without a length. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "daemon/base/error.h"

namespace hikyaku::control {

inline constexpr std::size_t kMaxHead = 8192;
inline constexpr std::size_t kMaxTarget = 2048;
inline constexpr std::size_t kMaxFields = 64;
inline constexpr std::size_t kMaxBody = std::size_t{1} << 20U;

struct RequestHead {
  std::string text;             // what the library is to read: request line, our choice of fields, empty line
  std::size_t body = 0;         // bytes that follow
  bool wants_continue = false;  // the client waits for 100 before it sends them
};

// The kind is HTTP's status code.
using HeadRefusal = Error<int>;

// Where the head in `text` ends, behind its empty line; 0: more is to come.
std::size_t head_length(std::string_view text);
// `head`: all of it, as head_length() says.
Result<RequestHead, HeadRefusal> parse_request_head(std::string_view head);

// A whole answer with one line of JSON that says what is wrong, for where the library has no part in it.
std::string refusal_answer(const HeadRefusal& refusal);

}  // namespace hikyaku::control
