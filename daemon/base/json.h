// SPDX-License-Identifier: MIT
// Writing JSON (RFC 8259): a value is its text, objects and lists grow member by member. Reading it is
// json_value.h's. Pure.
//
//   JsonObject().add("id", id).add("size", size).add("reason", unless_empty(reason)).text()
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"

namespace hikyaku {

// With its quotes. What is not UTF-8 becomes U+FFFD, since JSON has no other way to hold it.
std::string json_string(std::string_view text);

class JsonObject;
class JsonList;

// The text of one value.
inline std::string to_json(std::string_view text) { return json_string(text); }
inline std::string to_json(WallTime time) { return json_string(to_rfc3339(time)); }
std::string to_json(const JsonObject& object);
std::string to_json(const JsonList& list);
template <std::same_as<bool> Bool>
std::string to_json(Bool value) {
  return value ? "true" : "false";
}
template <std::integral Number>
  requires(!std::same_as<Number, bool>)
std::string to_json(Number value) {
  return std::to_string(value);
}
// nullopt is null.
template <class T>
std::string to_json(const std::optional<T>& value) {
  return value ? to_json(*value) : "null";
}
// For texts whose empty value means that there is none: writes null then.
inline std::optional<std::string_view> unless_empty(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

class JsonObject {
 public:
  template <class T>
  JsonObject& add(std::string_view name, const T& value) {
    return add_json(name, to_json(value));
  }
  // All members of the other one, behind those that are there.
  JsonObject& append(const JsonObject& other);
  std::string text() const { return "{" + members_ + "}"; }

 private:
  JsonObject& add_json(std::string_view name, std::string_view json);
  std::string members_;
};

class JsonList {
 public:
  JsonList() = default;
  template <class Range>
  explicit JsonList(const Range& values) {
    for (const auto& value : values) add(value);
  }
  template <class T>
  JsonList& add(const T& value) {
    return add_json(to_json(value));
  }
  std::size_t count() const { return count_; }
  std::size_t size() const { return values_.size(); }  // bytes
  std::string text() const { return "[" + values_ + "]"; }

 private:
  JsonList& add_json(std::string_view json);
  std::string values_;
  std::size_t count_ = 0;
};

}  // namespace hikyaku
