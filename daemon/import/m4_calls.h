// SPDX-License-Identifier: MIT
// The macro calls of a sendmail.mc: NAME(`argument', `argument'). Not m4: nothing is expanded, included or run, and
// what stands between the calls is skipped, like everything behind `dnl`. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hikyaku::importing {

struct M4Call {
  std::string name;
  std::vector<std::string> arguments;  // trimmed, and without one pair of quotes
  unsigned line = 0;
};

// Never fails: a call that is not closed ends with the text.
std::vector<M4Call> m4_calls(std::string_view text);

}  // namespace hikyaku::importing
