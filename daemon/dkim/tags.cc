// SPDX-License-Identifier: MIT
#include "daemon/dkim/tags.h"

#include <algorithm>

#include "daemon/base/text.h"

namespace hikyaku::dkim {
namespace {

constexpr std::size_t kMostTags = 64;  // a signature has about ten
constexpr std::string_view kFoldingBlanks = " \t\r\n";

std::string_view without_folds(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(kFoldingBlanks), text.size());
  return text.substr(begin, text.find_last_not_of(kFoldingBlanks) + 1 - begin);
}

bool is_tag_name(std::string_view name) {
  return !name.empty() && is_alpha(name.front()) &&
         std::ranges::all_of(name, [](char c) { return is_alpha(c) || is_digit(c) || c == '_'; });
}

}  // namespace

std::optional<Tags> Tags::parse(std::string_view text) {
  Tags tags;
  auto parts = split(text, ';');
  if (without_folds(parts.back()).empty()) parts.pop_back();  // the list may end with a semicolon
  if (parts.size() > kMostTags) return std::nullopt;
  for (std::string_view part : parts) {
    const std::size_t equals = part.find('=');
    if (equals == part.npos) return std::nullopt;
    const std::string_view name = without_folds(part.substr(0, equals));
    if (!is_tag_name(name) || tags.find(name)) return std::nullopt;
    tags.list_.emplace_back(name, without_folds(part.substr(equals + 1)));
  }
  return tags;
}

std::optional<std::string_view> Tags::find(std::string_view name) const {
  auto found = std::ranges::find(list_, name, &std::pair<std::string, std::string>::first);
  return found == list_.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

std::vector<std::string> colon_list(std::string_view text) {
  std::vector<std::string> parts;
  for (std::string_view part : split(text, ':')) parts.emplace_back(without_folds(part));
  return parts;
}

std::string without_blanks(std::string_view text) {
  std::string bare(text);
  std::erase_if(bare, [](char c) { return kFoldingBlanks.contains(c); });
  return bare;
}

}  // namespace hikyaku::dkim
