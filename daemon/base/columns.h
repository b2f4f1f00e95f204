// SPDX-License-Identifier: MIT
// UTF-8, and text as it stands on a terminal: how many columns it takes, cut or folded to a width. Wide characters (Chinese,
// Japanese, Korean, most pictures) take two columns, combining ones none. Knows no terminal; the text must have been
// through printable(), whatever peers and clients have put into it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hikyaku {

// The first character of a text that is not empty. RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
struct CodePoint {
  std::uint32_t value = 0;
  std::size_t length = 0;  // in bytes; 0: not UTF-8
};
CodePoint decode_utf8(std::string_view text);

// What bold() puts around a text takes none.
std::size_t columns_of(std::string_view text);

// With the escape sequences of a terminal around it.
std::string bold(std::string_view text);

// With blanks behind it, or in front of it, up to this width; a wider text stays as it is.
std::string left_aligned(std::string text, std::size_t columns);
std::string right_aligned(std::string text, std::size_t columns);

// A text that is too wide ends with "..." within these columns; no character is cut in two.
std::string cut_to(std::string text, std::size_t columns);

// Breaks each line that is too wide at blanks. What goes on below it begins `hang` columns from the left; by default
// below the text behind the line's label (`status    text`), else two columns further in than the line, unless that is
// far in already. Never broken,
// however wide: a word (an address, say), and what stands in `backquotes`, for that is to be pasted.
std::string folded(std::string_view lines, std::size_t columns,
                   std::optional<std::size_t> hang = std::nullopt);

}  // namespace hikyaku
