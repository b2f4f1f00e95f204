// SPDX-License-Identifier: MIT
// What is wrong with a file that a person wrote: where, and what would be right. A value, so that all
// problems can be reported at once. The text never holds a secret.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hikyaku::config {

struct Problem {
  std::string file;
  unsigned line = 0;    // from 1; 0: the file as a whole
  unsigned column = 0;  // from 1; 0: the line as a whole
  std::string key;      // "smarthosts[1].tls", or empty
  std::string text;     // plain words, no trailing full stop
  bool operator==(const Problem&) const = default;
};

using Problems = std::vector<Problem>;

// "hikyaku.yaml:3:8: smarthosts[1].tls: …", without the parts that are not known.
std::string to_text(const Problem& problem);
std::vector<std::string> to_lines(const Problems& problems);
// All of them, with `between` in between.
std::string to_text(const Problems& problems, std::string_view between);

}  // namespace hikyaku::config
