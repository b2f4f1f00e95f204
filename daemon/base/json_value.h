// SPDX-License-Identifier: MIT
// Reads JSON (RFC 8259) that somebody else has written: strictly, with bounds, in linear time. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/base/error.h"

namespace hikyaku {

inline constexpr std::size_t kMaxJsonDepth = 32;
inline constexpr std::size_t kMaxJsonMembers = 100;  // of one object

class JsonValue {
 public:
  using List = std::vector<JsonValue>;
  using Members = std::vector<std::pair<std::string, JsonValue>>;  // as they came; no name twice
  using Any = std::variant<std::nullptr_t, bool, double, std::string, List, Members>;

  JsonValue() : any_(nullptr) {}
  explicit JsonValue(Any any) : any_(std::move(any)) {}

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(any_); }
  // nullopt or nullptr if the value is of another type.
  std::optional<bool> boolean() const;
  std::optional<double> number() const;
  std::optional<std::uint64_t> whole_number() const;  // not negative, without a fraction, below 2^53
  const std::string* text() const { return std::get_if<std::string>(&any_); }
  const List* list() const { return std::get_if<List>(&any_); }
  const Members* members() const { return std::get_if<Members>(&any_); }
  const JsonValue* find(std::string_view name) const;  // of an object's members
  // The same by type; "", 0 or an empty list if there is none, or it is of another type.
  std::string text_of(std::string_view name) const;
  std::uint64_t whole_number_of(std::string_view name) const;
  const List& list_of(std::string_view name) const;

 private:
  Any any_;
};

// The text of an error says what is wrong and at which byte, and never repeats the input.
Result<JsonValue, std::string> parse_json(std::string_view text);

}  // namespace hikyaku
