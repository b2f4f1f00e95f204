// SPDX-License-Identifier: MIT
// Lists of tags, "v=1; d=example.com" (RFC 6376 3.2): signatures and key records are written as such. Others
// write them, so anything may stand there. Pure; linear in the text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hikyaku::dkim {

class Tags {
 public:
  // nullopt: a part is no tag, or a tag stands there twice; then the whole list does not count.
  static std::optional<Tags> parse(std::string_view text);

  // Without the blanks around it; nullopt: there is no such tag.
  std::optional<std::string_view> find(std::string_view name) const;
  std::string_view first_name() const { return list_.empty() ? std::string_view() : list_.front().first; }

 private:
  std::vector<std::pair<std::string, std::string>> list_;
};

// The parts of "a : b", without blanks.
std::vector<std::string> colon_list(std::string_view text);
// Base64 as it stands in a tag, without the blanks and folds in it.
std::string without_blanks(std::string_view text);

}  // namespace hikyaku::dkim
