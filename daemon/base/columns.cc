// SPDX-License-Identifier: MIT
#include "daemon/base/columns.h"

#include <algorithm>
#include <array>
#include <vector>

#include "daemon/base/text.h"

namespace hikyaku {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// Unicode Standard Annex 11, East_Asian_Width W and F: blocks, with what is not assigned in them yet.
constexpr std::array kWide = {
    Range{0x1100, 0x115f},   Range{0x231a, 0x231b},  Range{0x23e9, 0x23ec},   Range{0x2614, 0x2615},
    Range{0x26a1, 0x26a1},   Range{0x2705, 0x2705},  Range{0x274c, 0x274c},   Range{0x2e80, 0x303e},
    Range{0x3041, 0x3247},   Range{0x3250, 0x4dbf},  Range{0x4e00, 0xa4cf},   Range{0xa960, 0xa97c},
    Range{0xac00, 0xd7a3},   Range{0xf900, 0xfaff},  Range{0xfe10, 0xfe19},   Range{0xfe30, 0xfe6b},
    Range{0xff01, 0xff60},   Range{0xffe0, 0xffe6},  Range{0x1f300, 0x1f64f}, Range{0x1f680, 0x1f6ff},
    Range{0x1f900, 0x1faff}, Range{0x20000, 0x3fffd}};
// Marks above and below other characters, joiners, variation selectors.
constexpr std::array kCombining = {Range{0x0300, 0x036f}, Range{0x0483, 0x0489},  Range{0x0591, 0x05bd},
                                   Range{0x0610, 0x061a}, Range{0x064b, 0x065f},  Range{0x1ab0, 0x1aff},
                                   Range{0x1dc0, 0x1dff}, Range{0x200b, 0x200d},  Range{0x20d0, 0x20ff},
                                   Range{0x302a, 0x302d}, Range{0x3099, 0x309a},  Range{0xfe00, 0xfe0f},
                                   Range{0xfe20, 0xfe2f}, Range{0xe0100, 0xe01ef}};

template <std::size_t N>
bool is_in(const std::array<Range, N>& ranges, std::uint32_t value) {
  return std::ranges::any_of(ranges,
                             [&](Range range) { return value >= range.first && value <= range.last; });
}

std::size_t width_of(CodePoint code) {
  if (code.value < 0x300) return 1;
  if (is_in(kCombining, code.value)) return 0;
  return is_in(kWide, code.value) ? 2 : 1;
}

constexpr std::string_view kBold = "\x1b[1m", kPlain = "\x1b[0m";

// A byte that is no UTF-8 counts as a character: terminals show something in its place.
CodePoint next_in(std::string_view text) {
  for (std::string_view sequence : {kBold, kPlain})
    if (text.starts_with(sequence)) return {kCombining.front().first, sequence.size()};
  const CodePoint code = decode_utf8(text);
  return code.length == 0 ? CodePoint{'?', 1} : code;
}

// How many bytes of `text` fit.
std::size_t fitting(std::string_view text, std::size_t columns) {
  std::size_t at = 0;
  for (std::size_t taken = 0; at < text.size();) {
    const CodePoint code = next_in(text.substr(at));
    taken += width_of(code);
    if (taken > columns) return at;
    at += code.length;
  }
  return at;
}

std::size_t leading_blanks(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

// Where the text behind the last of a line's labels begins; the gap behind a label has two blanks or more.
std::size_t usual_hang(std::string_view line, std::size_t columns) {
  constexpr std::size_t kWidestLabels = 40;
  const std::size_t furthest = std::min(kWidestLabels, columns / 2);
  constexpr std::size_t kBelowLabels = 8;  // so far in, a line goes on with what is above it already
  const std::size_t indent = leading_blanks(line);
  std::size_t hang = indent < kBelowLabels ? indent + 2 : indent;
  for (std::size_t gap = line.find("  ", indent); gap < furthest; gap = line.find("  ", gap)) {
    const std::size_t behind = std::min(line.find_first_not_of(' ', gap), line.size());
    if (behind <= furthest && is_ascii(line.substr(0, behind))) hang = behind;
    gap = behind;
  }
  return std::min(hang, furthest);
}

// The end of the word that begins at `at`: the next blank outside of backquotes.
std::size_t word_end(std::string_view line, std::size_t at) {
  for (; at < line.size() && line[at] != ' '; ++at)
    if (line[at] == '`') at = std::min(line.find('`', at + 1), line.size() - 1);
  return at;
}

class Folding {
 public:
  Folding(std::size_t columns, std::size_t hang) : columns_(columns), indent_(hang, ' ') {}

  // `gap` are the blanks in front of the word.
  void add(std::string_view gap, std::string_view word) {
    const std::size_t wide = columns_of(gap) + columns_of(word);
    if (has_word_ && taken_ + wide > columns_) {
      text_ += cat("\n", indent_, word);
      taken_ = indent_.size() + columns_of(word);
    } else {
      text_ += cat(gap, word);
      taken_ += wide;
    }
    has_word_ = true;
  }
  std::string take() { return std::move(text_); }

 private:
  std::size_t columns_;
  std::string indent_;
  std::string text_;
  std::size_t taken_ = 0;
  bool has_word_ = false;
};

std::string folded_line(std::string_view line, std::size_t columns, std::optional<std::size_t> hang) {
  if (columns_of(line) <= columns) return std::string(line);
  Folding folding(columns, std::min(hang.value_or(usual_hang(line, columns)), columns / 2));
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t begin = line.find_first_not_of(' ', at);
    if (begin == line.npos) break;
    const std::size_t end = word_end(line, begin);
    folding.add(line.substr(at, begin - at), line.substr(begin, end - begin));
    at = end;
  }
  return folding.take();
}

}  // namespace

CodePoint decode_utf8(std::string_view text) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return {byte(0), 1};
  std::size_t length = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < length) return {};
  std::uint32_t value = byte(0) & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    value = (value << 6) | (byte(i) & 0x3fU);
  }
  bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  bool outside = (value >= 0xd800 && value < 0xe000) || value > 0x10ffff;
  return overlong || outside ? CodePoint{} : CodePoint{value, length};
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const CodePoint code = next_in(text);
    columns += width_of(code);
    text.remove_prefix(code.length);
  }
  return columns;
}

std::string bold(std::string_view text) { return cat(kBold, text, kPlain); }

std::string left_aligned(std::string text, std::size_t columns) {
  text.append(columns - std::min(columns, columns_of(text)), ' ');
  return text;
}

std::string right_aligned(std::string text, std::size_t columns) {
  return std::string(columns - std::min(columns, columns_of(text)), ' ') + text;
}

std::string cut_to(std::string text, std::size_t columns) {
  constexpr std::string_view kDots = "...";
  if (columns_of(text) <= columns) return text;
  if (columns <= kDots.size()) return std::string(columns, '.');
  text.resize(fitting(text, columns - kDots.size()));
  return cat(text, kDots);
}

std::string folded(std::string_view lines, std::size_t columns, std::optional<std::size_t> hang) {
  std::vector<std::string> all;
  for (std::string_view line : split(lines, '\n')) all.push_back(folded_line(line, columns, hang));
  return join(all, "\n");
}

}  // namespace hikyaku
