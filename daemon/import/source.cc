// SPDX-License-Identifier: MIT
#include "daemon/import/source.h"

#include <algorithm>

#include "daemon/base/text.h"

namespace hikyaku::importing {
namespace {

std::string_view without_return(std::string_view line) {
  return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

bool says_nothing(std::string_view line) { return trim(line).empty() || trim(line).starts_with('#'); }

}  // namespace

std::string to_text(const Place& place) {
  const std::string file = printable(place.file, 300);
  return place.line == 0 ? file : cat(file, ":", std::to_string(place.line));
}

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  unsigned number = 0;
  for (std::string_view whole : split(text, '\n')) {
    ++number;
    const std::string_view line = without_return(whole);
    if (!says_nothing(line)) lines.push_back({std::string(line), number});
  }
  return lines;
}

std::vector<Line> logical_lines_of(std::string_view text) {
  std::vector<Line> lines;
  for (Line& line : lines_of(text)) {
    const bool continues = is_blank(line.text.front()) && !lines.empty();
    if (continues)
      lines.back().text += cat(" ", trim(line.text));
    else
      lines.push_back(std::move(line));
  }
  return lines;
}

WordAndRest first_word(std::string_view text) {
  text = trim(text);
  const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
  return {text.substr(0, end), trim(text.substr(end))};
}

bool is_yes(std::string_view word) {
  return std::ranges::any_of(std::initializer_list<std::string_view>{"yes", "on", "true", "1"},
                             [&](std::string_view yes) { return equals_ignoring_case(word, yes); });
}

std::vector<std::string_view> list_of(std::string_view text) {
  std::vector<std::string_view> elements;
  for (std::string_view part : split(text, ','))
    for (std::string_view word : words(part)) elements.push_back(word);
  return elements;
}

std::string directory_of(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  return slash == file.npos ? "." : file.substr(0, std::max<std::size_t>(slash, 1));
}

}  // namespace hikyaku::importing
