// SPDX-License-Identifier: MIT
// `hikyaku queue retry`: the daemon tries now what waits for its time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/app/exit.h"

namespace hikyaku::app {

struct RetryWords {
  std::vector<std::string> ids;
  bool all = false;
  std::string state;  // empty: any
  std::optional<std::string> from;
  std::optional<std::string> to;
};
// The body for POST /v1/queue/retry. Errors: usage, where nothing or too much is named.
Result<std::string, StartError> retry_body(const RetryWords& words);

// Says what was done; 0 only if all that was named is tried.
Exit retry_queue(const std::string& socket, const RetryWords& words);

}  // namespace hikyaku::app
