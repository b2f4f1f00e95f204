// SPDX-License-Identifier: MIT
// A request to the control socket and its answer, as values: what the routes see of HTTP.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/control/control_connection.h"
#include "daemon/control/control_rights.h"

namespace hikyaku::control {

struct ControlRequest {
  std::string method;  // "GET" or "POST"
  std::string path;    // decoded, without parameters
  std::map<std::string, std::string> parameters;
  std::string accept;  // what the client takes; empty: anything
  std::string body;
  Rights rights;
  // Whether anybody still waits for the answer. For work that takes long.
  std::function<bool()> is_wanted = [] { return true; };
};

struct ControlAnswer {
  // The next piece of a long answer, empty at its end; nothing: it breaks off, and the client is to see that.
  using Pieces = std::function<std::optional<std::string>()>;

  int status = 200;
  std::string type = "application/json";
  std::string body;
  Pieces pieces = nullptr;  // instead of a body
};

// {"error": text} and a line end.
ControlAnswer control_error(int status, std::string_view text);
ControlAnswer control_json(std::string json);  // likewise ended

// HTTP/1.1 (RFC 9112) between a connection and the routes. A connection serves one request: its head as
// control_head.h understands it, its body, one answer.

using AnswerRequest = std::function<ControlAnswer(const ControlRequest&)>;

// From any thread, by several at a time. Returns when the answer has gone out, or the peer has. What `answer`
// throws becomes a 500. Blocks.
void serve_http(ControlConnection& connection, const Rights& rights, const AnswerRequest& answer);

// What goes over the connection for an answer with a body.
std::string whole_answer(const ControlAnswer& answer);

}  // namespace hikyaku::control
