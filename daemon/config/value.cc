// SPDX-License-Identifier: MIT
#include "daemon/config/value.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/yaml_text.h"
#include "daemon/mail/address.h"

namespace hikyaku::config {
namespace {

bool has_controls(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string range(std::string_view what, std::string_view least, std::string_view most) {
  return cat("must be ", what, " from ", least, " to ", most);
}

}  // namespace

void Value::problem(std::string text) const {
  report_.problems.push_back({report_.file, node_.place.line, node_.place.column, key_, std::move(text)});
}

bool Value::has(std::string_view key) const {
  for (std::size_t i = 0; is_map() && i + 1 < node_.items.size(); i += 2)
    if (node_.items[i].kind == YamlNode::Kind::scalar && node_.items[i].scalar == key) return true;
  return false;
}

std::optional<std::string_view> Value::text() const {
  if (node_.kind != YamlNode::Kind::scalar) return std::nullopt;
  return node_.scalar;
}

std::optional<std::string> Value::as_text(std::string_view expected) const {
  auto value = text();
  if (value && !value->empty() && !has_controls(*value)) return std::string(*value);
  problem(cat(is_null() ? "has no value; it must be " : "must be ", expected));
  return std::nullopt;
}

std::optional<std::string> Value::as_path() const {
  auto path = as_text("an absolute path");
  if (!path || path->starts_with('/')) return path;
  problem("must be an absolute path, one that begins with /");
  return std::nullopt;
}

std::optional<bool> Value::as_bool() const {
  auto value = text();
  for (std::string_view yes : {"true", "yes", "on"})
    if (value && equals_ignoring_case(*value, yes)) return true;
  for (std::string_view no : {"false", "no", "off"})
    if (value && equals_ignoring_case(*value, no)) return false;
  problem("must be true or false");
  return std::nullopt;
}

std::optional<std::uint32_t> Value::as_count(std::uint32_t least, std::uint32_t most) const {
  auto number = parse_number(text().value_or(""));
  if (number && *number >= least && *number <= most) return static_cast<std::uint32_t>(*number);
  problem(range("a whole number", std::to_string(least), std::to_string(most)));
  return std::nullopt;
}

std::optional<double> Value::as_factor(double least, double most) const {
  std::string_view digits = text().value_or("");
  double number = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  bool is_number = error == std::errc{} && end == digits.data() + digits.size() && !digits.empty();
  if (is_number && number >= least && number <= most) return number;
  problem(range("a number", number_text(least), number_text(most)));
  return std::nullopt;
}

std::optional<ByteSize> Value::as_size(ByteSize least, ByteSize most) const {
  auto size = parse_size(text().value_or(""));
  if (size && *size >= least && *size <= most) return size;
  problem(range("a size such as 64KiB or 50MiB,", size_text(least), size_text(most)));
  return std::nullopt;
}

std::optional<Duration> Value::as_duration(Duration least, Duration most) const {
  auto duration = parse_duration(text().value_or(""));
  if (duration && *duration >= least && *duration <= most) return duration;
  problem(range("a duration such as 500ms, 30s, 5m, 4h or 5d,", duration_text(least), duration_text(most)));
  return std::nullopt;
}

std::optional<std::string> Value::as_address() const {
  auto address = text();
  auto path = mail::parse_path(address.value_or(""), {});
  if (path && path->address == *address) return std::move(path->address);
  problem("must be a mail address such as admin@example.com");
  return std::nullopt;
}

std::optional<mail::AddressPattern> Value::as_pattern() const {
  auto pattern = mail::AddressPattern::parse(text().value_or(""));
  if (pattern) return std::move(*pattern);
  problem(std::move(pattern.error()));
  return std::nullopt;
}

std::optional<std::size_t> Value::as_choice(const std::vector<std::string>& choices) const {
  std::string_view value = text().value_or("");
  auto found = std::ranges::find(choices, value);
  if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
  auto meant = nearest(value, choices);
  problem(cat("must be one of ", join(choices, ", "), meant ? cat("; did you mean ", *meant, "?") : ""));
  return std::nullopt;
}

std::vector<Value> Value::elements() const {
  if (!is_list()) return {*this};
  std::vector<Value> elements;
  for (const YamlNode& item : node_.items)
    elements.emplace_back(item, cat(key_, "[", std::to_string(elements.size()), "]"), report_);
  return elements;
}

std::vector<Value::Member> Value::members() const {
  std::vector<Member> members;
  std::set<std::string> seen;
  for (std::size_t i = 0; i + 1 < node_.items.size(); i += 2) {
    const YamlNode& name = node_.items[i];
    std::string shown = printable(name.scalar, 60);
    Value key(name, key_.empty() ? shown : cat(key_, ".", shown), report_);
    if (name.kind != YamlNode::Kind::scalar) {
      key.problem("a key must be a single word");
    } else if (!seen.insert(name.scalar).second) {
      key.problem("this key appears twice");
    } else {
      members.push_back({name.scalar, key, Value(node_.items[i + 1], key.key_, report_)});
    }
  }
  return members;
}

}  // namespace hikyaku::config
