// SPDX-License-Identifier: MIT
// A streaming parser must give the same result however its input is cut. These feed one text in several cuts.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

namespace hikyaku::test {

using Pieces = std::vector<std::string_view>;

// The text in pieces of `size` bytes, the last one shorter; views into it.
inline Pieces pieces_of(std::string_view text, std::size_t size) {
  Pieces pieces;
  for (std::size_t at = 0; at < text.size(); at += size) pieces.push_back(text.substr(at, size));
  return pieces;
}

// Every cut into two pieces, and every cut into pieces of one size; the whole text first.
inline void for_each_cut(std::string_view text, const std::function<void(const Pieces&)>& use) {
  use({text});
  for (std::size_t size = 1; size < text.size(); ++size) use(pieces_of(text, size));
  for (std::size_t at = 0; at <= text.size(); ++at) use({text.substr(0, at), text.substr(at)});
}

}  // namespace hikyaku::test
