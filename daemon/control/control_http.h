// SPDX-License-Identifier: MIT
// HTTP/1.1 (RFC 9112) between a connection and the routes. A connection serves one request: its head as
// control_head.h understands it, its body, one answer.
#pragma once

#include <functional>
#include <string>

#include "daemon/control/control_connection.h"
#include "daemon/control/control_request.h"

namespace hikyaku::control {

using AnswerRequest = std::function<ControlAnswer(const ControlRequest&)>;

// From any thread, by several at a time. Returns when the answer has gone out, or the peer has. What `answer`
// throws becomes a 500. Blocks.
void serve_http(ControlConnection& connection, const Rights& rights, const AnswerRequest& answer);

// What goes over the connection for an answer with a body.
std::string whole_answer(const ControlAnswer& answer);

}  // namespace hikyaku::control
