// SPDX-License-Identifier: MIT
// A request to the control socket and its answer as plain values, and HTTP/1.1 (RFC 9112) on a connection.
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
  std::string method;  // "GET", "POST" or "PUT"
  std::string path;    // decoded, without parameters
  std::map<std::string, std::string> parameters;
  std::string accept;  // formats that the client accepts; empty: any
  std::string body;
  Rights rights;
  // Whether the client still waits for the answer. For work that takes long.
  std::function<bool()> is_wanted = [] { return true; };
};

struct ControlAnswer {
  // The next piece of a long answer, empty at its end; nullopt if it breaks off, which the client then sees.
  using Pieces = std::function<std::optional<std::string>()>;

  int status = 200;
  std::string type = "application/json";
  std::string body;
  Pieces pieces = nullptr;  // instead of a body
};

// {"error": text} and a line end.
ControlAnswer control_error(int status, std::string_view text);
ControlAnswer control_json(std::string json);  // with a line end

using AnswerRequest = std::function<ControlAnswer(const ControlRequest&)>;

// Serves one request: its head (control_head.h), its body, one answer. Returns when the answer has been
// sent or the client has left. An exception of `answer` becomes a 500. Thread-safe. Blocks.
void serve_http(ControlConnection& connection, const Rights& rights, const AnswerRequest& answer);

// The bytes of an answer that has a body.
std::string whole_answer(const ControlAnswer& answer);

}  // namespace hikyaku::control
