// SPDX-License-Identifier: MIT
#include "daemon/sendmail/places.h"

#include <algorithm>

#include "daemon/base/text.h"
#include "daemon/sendmail/input.h"

namespace hikyaku::sendmail {
namespace {

constexpr std::string_view kMagic = "hikyaku-sendmail 1";
constexpr std::size_t kLongest = 64 * 1024;

// What is read from a file goes into SMTP lines and messages.
bool is_plain(std::string_view value) {
  return !value.empty() && std::ranges::all_of(value, [](char c) { return c > ' ' && c < 0x7f; });
}

void set_text(Places& places, std::string_view key, std::string_view value) {
  const std::pair<std::string_view, std::string*> texts[] = {{"submit_socket", &places.submit_socket},
                                                             {"control_socket", &places.control_socket},
                                                             {"drop", &places.drop},
                                                             {"listen", &places.listen},
                                                             {"hostname", &places.hostname},
                                                             {"domain", &places.domain},
                                                             {"aliases", &places.aliases}};
  const auto* found = std::ranges::find(texts, key, [](const auto& text) { return text.first; });
  if (found == std::end(texts)) return;
  bool is_path = found->second->starts_with('/');
  if (is_path ? value.starts_with('/') : is_plain(value)) *found->second = value;
}

void set(Places& places, std::string_view key, std::string_view value) {
  auto number = parse_number(value);
  if (key == "max_size" && number) places.max_size = *number;
  if (key == "max_recipients" && number && *number > 0) places.max_recipients = *number;
  if (key == "min_free" && number) places.min_free = *number;
  set_text(places, key, value);
}

}  // namespace

std::optional<Places> parse_places(std::string_view text) {
  auto lines = split(text, '\n');
  if (lines.front() != kMagic) return std::nullopt;
  Places places;
  for (std::string_view line : lines) {
    std::size_t blank = std::min(line.find(' '), line.size());
    set(places, line.substr(0, blank), trim(line.substr(blank)));
  }
  return places;
}

Places find_places(const std::string& path) {
  if (!path.empty())
    if (auto places = parse_places(read_regular_file(path, kLongest).value_or(""))) return *places;
  return parse_places(read_regular_file(std::string(kPlacesFile), kLongest).value_or("")).value_or(Places());
}

}  // namespace hikyaku::sendmail
