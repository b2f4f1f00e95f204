// SPDX-License-Identifier: MIT
// How a client's bytes could legally be read, by plain search: what bounds the number of mails in them.
#pragma once

#include <string_view>

#include "daemon/base/text.h"

namespace hikyaku::test {

inline std::size_t occurrences(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++count;
  return count;
}

// Ends of messages. A session whose first line ends in CR LF has none but CR LF "." CR LF.
inline std::size_t ends_of_data(std::string_view input) {
  const auto first = input.find('\n');
  const bool is_crlf = first != input.npos && first > 0 && input[first - 1] == '\r';
  if (is_crlf) return occurrences(input, "\r\n.\r\n");
  return occurrences(input, "\n.\n") + occurrences(input, "\n.\r\n");
}

inline std::size_t last_chunks(std::string_view input) { return occurrences(to_upper(input), "LAST"); }

}  // namespace hikyaku::test
