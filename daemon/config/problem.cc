// SPDX-License-Identifier: MIT
#include "daemon/config/problem.h"

#include "daemon/base/text.h"

namespace hikyaku::config {

std::string to_text(const Problem& problem) {
  std::string text = problem.file;
  if (problem.line != 0) text += cat(":", std::to_string(problem.line));
  if (problem.line != 0 && problem.column != 0) text += cat(":", std::to_string(problem.column));
  if (!problem.key.empty()) text += cat(text.empty() ? "" : ": ", problem.key);
  return cat(text, text.empty() ? "" : ": ", problem.text);
}

}  // namespace hikyaku::config
