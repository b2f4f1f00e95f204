// SPDX-License-Identifier: MIT
#include "daemon/import/postfix_parameters.h"

#include <algorithm>

#include "daemon/base/text.h"

namespace hikyaku::importing {
namespace {

constexpr unsigned kDeepest = 20;
constexpr unsigned kMostNames = 1000;  // replaced in one value: names that name each other grow without end
constexpr std::size_t kLongest = 16 << 10;

// Those of Postfix's defaults that other values are made of.
constexpr std::pair<std::string_view, std::string_view> kDefaults[] = {
    {"config_directory", "/etc/postfix"},
    {"default_database_type", "hash"},
    {"mydomain", ""},
    {"myhostname", ""},
    {"myorigin", "$myhostname"},
    {"smtp_sasl_security_options", "noplaintext, noanonymous"},
    {"smtp_tls_mandatory_protocols", ""},
};

bool is_name_character(char c) { return is_alpha(c) || is_digit(c) || c == '_'; }

std::size_t name_length(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, is_name_character) - text.begin());
}

// The position behind the bracket that closes the one at the beginning; npos if there is none.
std::size_t end_of_group(std::string_view text, char open, char close) {
  unsigned depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == open) ++depth;
    if (text[i] == close && --depth == 0) return i + 1;
  }
  return text.npos;
}

std::string_view without_braces(std::string_view text) {
  text = trim(text);
  const bool is_braced = text.starts_with('{') && text.ends_with('}') && text.size() >= 2;
  return is_braced ? trim(text.substr(1, text.size() - 2)) : text;
}

}  // namespace

PostfixParameters::PostfixParameters(std::string_view text, const std::string& file,
                                     std::vector<Place>& wrong)
    : file_(file) {
  for (const Line& line : logical_lines_of(text)) {
    const std::size_t equals = line.text.find('=');
    const Place place{file, line.number};
    const std::string_view name = trim(std::string_view(line.text).substr(0, equals));
    if (equals == line.text.npos || name.empty() || name_length(name) != name.size()) {
      wrong.push_back(place);
      continue;
    }
    std::erase_if(parameters_, [&](const Parameter& each) { return each.name == name; });
    parameters_.push_back(
        {std::string(name), std::string(trim(std::string_view(line.text).substr(equals + 1))), place});
  }
}

const Parameter* PostfixParameters::find(std::string_view name) const {
  auto found = std::ranges::find(parameters_, name, &Parameter::name);
  return found == parameters_.end() ? nullptr : &*found;
}

Place PostfixParameters::place_of(std::string_view name) const {
  const Parameter* parameter = find(name);
  return parameter == nullptr ? Place{file_, 0} : parameter->place;
}

std::string PostfixParameters::value_of(std::string_view name) const {
  names_left_ = kMostNames;
  return value_of(name, 0);
}

std::string PostfixParameters::expand(std::string_view text) const {
  names_left_ = kMostNames;
  return expand(text, 0);
}

std::string PostfixParameters::value_of(std::string_view name, unsigned depth) const {
  if (names_left_ == 0) return {};
  --names_left_;
  if (const Parameter* parameter = find(name)) return expand(parameter->value, depth + 1);
  for (const auto& [known, value] : kDefaults)
    if (known == name) return expand(value, depth + 1);
  return {};
}

std::string PostfixParameters::expand(std::string_view text, unsigned depth) const {
  std::string expanded;
  while (!text.empty() && depth < kDeepest && expanded.size() < kLongest) {
    const std::size_t dollar = std::min(text.find('$'), text.size());
    expanded += text.substr(0, dollar);
    text.remove_prefix(dollar);
    if (text.size() < 2) return expanded += text;
    const char next = text[1];
    const std::size_t end = next == '{'   ? end_of_group(text.substr(1), '{', '}')
                            : next == '(' ? end_of_group(text.substr(1), '(', ')')
                                          : name_length(text.substr(1));
    if (next == '$' || end == 0 || end == text.npos) {
      expanded += '$';
      text.remove_prefix(next == '$' ? 2 : 1);
      continue;
    }
    const bool is_group = next == '{' || next == '(';
    expanded += expand_group(is_group ? text.substr(2, end - 2) : text.substr(1, end), depth);
    text.remove_prefix(end + 1);
  }
  expanded.resize(std::min(expanded.size(), kLongest));
  return expanded;
}

// "name", "name?text", "name:text", "name?{text}:{text}".
std::string PostfixParameters::expand_group(std::string_view group, unsigned depth) const {
  const std::size_t length = name_length(group);
  const std::string value = value_of(group.substr(0, length), depth);
  used_[std::string(group.substr(0, length))] = true;
  std::string_view rest = trim(group.substr(length));
  if (rest.empty()) return value;
  const char sign = rest.front();
  rest = trim(rest.substr(1));
  const std::size_t end = rest.starts_with('{') ? end_of_group(rest, '{', '}') : rest.npos;
  const std::string_view first = rest.substr(0, std::min(end, rest.size()));
  std::string_view second = end == rest.npos ? std::string_view() : trim(rest.substr(end));
  if (second.starts_with(':')) second.remove_prefix(1);
  const bool is_set = !value.empty();
  if (sign == '?') return expand(without_braces(is_set ? first : second), depth + 1);
  if (sign == ':') return is_set ? value : expand(without_braces(first), depth + 1);
  return value;
}

}  // namespace hikyaku::importing
