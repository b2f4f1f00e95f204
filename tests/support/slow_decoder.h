// SPDX-License-Identifier: MIT
// What the data decoder makes of DATA in CRLF mode, told slowly: the whole text at once, rule by rule.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hikyaku::test {

// The content before the first CR LF . CR LF; nullopt if there is none.
inline std::optional<std::string> slowly_decoded(std::string_view text) {
  std::string all = "\r\n" + std::string(text);
  std::size_t end = all.find("\r\n.\r\n");
  if (end == all.npos) return std::nullopt;
  std::string_view rest = std::string_view(all).substr(0, end + 2);
  std::string content;
  while (!rest.empty()) {
    bool crlf = rest.starts_with("\r\n");
    bool is_end = crlf || rest[0] == '\r' || rest[0] == '\n';
    content += is_end ? "\r\n" : std::string(1, rest[0]);
    bool lf = rest[0] == '\n';
    rest.remove_prefix(crlf ? 2 : 1);
    bool stuffed = crlf ? rest.starts_with('.') : lf && rest.starts_with("..");
    if (stuffed) rest.remove_prefix(1);
  }
  return content.substr(2);
}

}  // namespace hikyaku::test
