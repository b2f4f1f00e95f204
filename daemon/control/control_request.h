// SPDX-License-Identifier: MIT
// A request to the control socket and its answer, as values: what the routes see of HTTP.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

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

}  // namespace hikyaku::control
