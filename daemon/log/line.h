// SPDX-License-Identifier: MIT
// One log line as a value, and its notations as text and JSON (Postfix's: postfix_lines.h). All foreign text is
// escaped here. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/log_level.h"

namespace hikyaku::log {

// A mail address: shown in angle brackets, so that the null sender is seen.
struct Address {
  std::string text;
};

// Our own text, in which foreign parts have been made printable already: it is not escaped a second time.
struct Sentence {
  std::string text;
};

struct Field {
  std::string_view name;                                                                    // ours, a literal
  std::variant<std::string, std::uint64_t, Address, std::vector<Address>, Sentence> value;  // may be foreign
};

// The most of one list that is shown, so that a line stays readable.
inline constexpr std::size_t kMostAddresses = 10;

struct Line {
  LogLevel level = LogLevel::info;
  std::string_view event;  // ours, a literal: "accepted"; empty: none
  std::string text;        // as a Sentence; or empty
  std::vector<Field> fields;
  bool ends_mail = false;   // the mail has left the queue with it; only Postfix's notation says so
  std::string smarthost{};  // a field in the journal alone: elsewhere it is part of another
};

// "info accepted id=… from=<a@example.com> reply=\"250 2.0.0 ok\"": values with blanks or quotes are quoted.
std::string to_text(const Line& line);
// One line of printable characters, of bounded length: what both notations show of a text.
std::string clean(std::string_view foreign);
std::string clean(const Sentence& ours);
// In the text and in all fields (address_mask.h).
void mask_addresses(Line& line);
// {"time":…,"level":"info","event":"accepted","id":…}; without `time` if it is empty.
std::string to_json(const Line& line, std::string_view time);

}  // namespace hikyaku::log
