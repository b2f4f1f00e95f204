// SPDX-License-Identifier: MIT
// The daemon's status as a few lines for people. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/base/exit.h"
#include "daemon/base/json_value.h"

namespace hikyaku::commands {

// Of what GET /v1/status answers.
std::string status_text(const JsonValue& status);
// Whether mail waits for something that the operator may have to do: a smarthost is paused, the spool has
// trouble, mail is held. Warnings about the set-up, which may be as it is on purpose, do not count.
bool needs_operator(const JsonValue& status);

// `hikyaku queue retry`: the daemon tries now what waits for its time.

struct RetryOptions {
  std::vector<std::string> ids;
  bool all = false;
  std::string state;  // empty: any
  std::optional<std::string> from;
  std::optional<std::string> to;
  bool waits = true;  // for what becomes of mails that are named
};
// The body for POST /v1/queue/retry. Errors: usage, where nothing or too much is named.
Result<std::string, StartError> retry_body(const RetryOptions& options);

// Says what was done, and what became of mails that were named: 0 only if all of it was tried and nothing
// that was named still waits.
Exit retry_queue(const std::string& socket, const RetryOptions& options);

}  // namespace hikyaku::commands
