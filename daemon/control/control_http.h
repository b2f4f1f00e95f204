// SPDX-License-Identifier: MIT
// HTTP/1.1 between a connection and the routes: the one place on the server's side that sees the HTTP
// library. A connection serves one request. The library reads only what control_head.h has let through.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/control/control_connection.h"
#include "daemon/control/control_request.h"

namespace hikyaku::control {

class ControlHttp {
 public:
  using Answer = std::function<ControlAnswer(const ControlRequest&)>;
  // `posts` are the paths to which something may be posted. `answer` is called on any thread, by several at
  // a time; what it throws becomes a 500.
  ControlHttp(const std::vector<std::string>& posts, Answer answer);
  ~ControlHttp();

  // From any thread. Returns when the answer has gone out, or the peer has.
  void serve(ControlConnection& connection, const Rights& rights);

 private:
  class Library;
  std::unique_ptr<Library> library_;
};

}  // namespace hikyaku::control
