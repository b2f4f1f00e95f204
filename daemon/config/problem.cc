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

std::vector<std::string> to_lines(const Problems& problems) {
  std::vector<std::string> lines;
  for (const Problem& problem : problems) lines.push_back(to_text(problem));
  return lines;
}

std::string to_text(const Problems& problems, std::string_view between) {
  return join(to_lines(problems), between);
}

}  // namespace hikyaku::config
