// SPDX-License-Identifier: MIT
// JSON from outside: never crashes, keeps its bounds; a text that was read can be written and read again.
#include <string>

#include "daemon/base/json.h"
#include "daemon/base/json_value.h"
#include "tests/fuzz/fuzz.h"

using namespace hikyaku;

namespace {

void look_at(const JsonValue& value, std::size_t depth) {
  check(depth <= kMaxJsonDepth + 1, "nested too deeply");
  if (const std::string* text = value.text()) {
    auto again = parse_json(json_string(*text));
    check(again && again->text() != nullptr && *again->text() == *text, "a text has changed");
  }
  if (const auto* list = value.list())
    for (const JsonValue& element : *list) look_at(element, depth + 1);
  if (value.members() == nullptr) return;
  check(value.members()->size() <= kMaxJsonMembers, "too many members");
  for (const auto& [name, member] : *value.members()) {
    check(value.find(name) == &member, "a member is not found");
    look_at(member, depth + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto value = parse_json(test::as_text(data, size));
  if (value)
    look_at(*value, 0);
  else
    check(!value.error().empty(), "an error says nothing");
  return 0;
}
