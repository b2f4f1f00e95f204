// SPDX-License-Identifier: MIT
// `hikyaku queue retry`: the daemon tries now what waits for its time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/base/exit.h"

namespace hikyaku::commands {

struct RetryWords {
  std::vector<std::string> ids;
  bool all = false;
  std::string state;  // empty: any
  std::optional<std::string> from;
  std::optional<std::string> to;
  bool waits = true;  // for what becomes of mails that are named
};
// The body for POST /v1/queue/retry. Errors: usage, where nothing or too much is named.
Result<std::string, StartError> retry_body(const RetryWords& words);

// Says what was done, and what became of mails that were named: 0 only if all of it was tried and nothing
// that was named still waits.
Exit retry_queue(const std::string& socket, const RetryWords& words);

}  // namespace hikyaku::commands
