// SPDX-License-Identifier: MIT
#include "daemon/config/yaml_text.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::config {
namespace {

YamlNode scalar_node(std::string text) { return {YamlNode::Kind::scalar, {}, std::move(text), {}}; }

// What no reader of YAML takes for anything but a text.
bool is_plain(std::string_view text) {
  auto fits = [](char c) { return is_alpha(c) || is_digit(c) || std::string_view("._/@+-").contains(c); };
  const bool begins_well = !text.empty() && (is_alpha(text[0]) || is_digit(text[0]) || text[0] == '/');
  return begins_well && std::ranges::all_of(text, fits) && !equals_ignoring_case(text, "null");
}

std::string in_quotes(std::string_view text) {
  std::string written = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') written += '\\';
    if (byte < 0x20 || byte == 0x7f)
      written += cat("\\x", to_hex({&byte, 1}));
    else
      written += c;
  }
  return written + '"';
}

}  // namespace

std::string duration_text(Duration duration) {
  static constexpr std::pair<std::string_view, Duration> kUnits[] = {
      {"d", 24h}, {"h", 1h}, {"m", 1min}, {"s", 1s}};
  for (const auto& [unit, length] : kUnits)
    if (duration != 0s && duration % length == 0s) return cat(std::to_string(duration / length), unit);
  return duration == 0s ? "0" : cat(std::to_string(duration / 1ms), "ms");
}

std::string size_text(ByteSize size) { return size.bytes == 0 ? "0" : to_text(size); }

std::string number_text(double number) {
  char digits[32];
  auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
  return {digits, end};
}

YamlNode to_node(std::string_view text) { return text.empty() ? YamlNode{} : scalar_node(std::string(text)); }
YamlNode to_node(const Network& network) { return scalar_node(network.to_text()); }
YamlNode to_node(const Endpoint& endpoint) { return scalar_node(endpoint.to_text()); }
YamlNode to_node(const mail::AddressPattern& pattern) { return scalar_node(pattern.text()); }
YamlNode to_node(const mail::Rate& rate) { return scalar_node(to_text(rate)); }
YamlNode to_node(Duration duration) { return scalar_node(duration_text(duration)); }
YamlNode to_node(ByteSize size) { return scalar_node(size_text(size)); }
YamlNode to_node(double number) { return scalar_node(number_text(number)); }

YamlNode map_node() { return {YamlNode::Kind::map, {}, {}, {}}; }

void add_member(YamlNode& map, std::string_view key, YamlNode value) {
  map.items.push_back(scalar_node(std::string(key)));
  map.items.push_back(std::move(value));
}

const YamlNode* member_of(const YamlNode& map, std::string_view key) {
  if (map.kind != YamlNode::Kind::map) return nullptr;
  for (std::size_t i = 0; i + 1 < map.items.size(); i += 2)
    if (map.items[i].scalar == key) return &map.items[i + 1];
  return nullptr;
}

std::string to_flow(const YamlNode& node) {
  std::vector<std::string> parts;
  switch (node.kind) {
    case YamlNode::Kind::null: return "null";
    case YamlNode::Kind::scalar: return is_plain(node.scalar) ? node.scalar : in_quotes(node.scalar);
    case YamlNode::Kind::sequence:
      for (const YamlNode& item : node.items) parts.push_back(to_flow(item));
      return cat("[", join(parts, ", "), "]");
    case YamlNode::Kind::map: break;
  }
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2)
    parts.push_back(cat(to_flow(node.items[i]), ": ", to_flow(node.items[i + 1])));
  return cat("{", join(parts, ", "), "}");
}

}  // namespace hikyaku::config
