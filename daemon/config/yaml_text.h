// SPDX-License-Identifier: MIT
// Values as they are written in a configuration file: the opposite of value.h. Pure.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/bytes.h"
#include "daemon/base/clock.h"
#include "daemon/base/ip.h"
#include "daemon/config/yaml.h"
#include "daemon/mail/address_pattern.h"
#include "daemon/mail/smarthost.h"

namespace hikyaku::config {

// "1d", "90s", "500ms"; zero is "0".
std::string duration_text(Duration duration);
std::string size_text(ByteSize size);
// "3", "1.5": the shortest text of the number.
std::string number_text(double number);

// What is empty, or has no value, is a null node.
YamlNode to_node(std::string_view text);
YamlNode to_node(const Network& network);
YamlNode to_node(const Endpoint& endpoint);
YamlNode to_node(const mail::AddressPattern& pattern);
YamlNode to_node(const mail::Rate& rate);
YamlNode to_node(Duration duration);
YamlNode to_node(ByteSize size);
YamlNode to_node(double number);
inline YamlNode to_node(const std::string& text) { return to_node(std::string_view(text)); }
template <std::same_as<bool> Bool>
YamlNode to_node(Bool yes) {
  return to_node(std::string_view(yes ? "true" : "false"));
}
template <std::unsigned_integral Number>
  requires(!std::same_as<Number, bool>)
YamlNode to_node(Number number) {
  return to_node(std::to_string(number));
}
template <class T>
YamlNode to_node(const std::optional<T>& value) {
  return value ? to_node(*value) : YamlNode{};
}
template <class T>
YamlNode to_node(const std::vector<T>& values) {
  YamlNode list{YamlNode::Kind::sequence, {}, {}, {}};
  for (const T& value : values) list.items.push_back(to_node(value));
  return list;
}
// A map to be filled with add_member().
YamlNode map_node();
void add_member(YamlNode& map, std::string_view key, YamlNode value);
// The value of a member, or nullptr; also nullptr if `map` is no map.
const YamlNode* member_of(const YamlNode& map, std::string_view key);

// In one line; whatever it holds, it is read back as it is.
std::string to_flow(const YamlNode& node);

}  // namespace hikyaku::config
