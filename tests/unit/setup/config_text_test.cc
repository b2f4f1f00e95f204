// SPDX-License-Identifier: MIT
#include "daemon/setup/config_text.h"

#include "daemon/base/text.h"
#include "doctest/doctest.h"

namespace hikyaku::setup {
namespace {

constexpr std::string_view kWritten =
    "# mine\n"
    "\n"
    "listen: [\"127.0.0.1:25\"]   # here\n"
    "# the provider\n"
    "smarthosts:\n"
    "  - host: old.example\n"
    "\n"
    "    port: 25\n"
    "\n"
    "# log\n"
    "log: {level: debug}\n";

std::string changed(std::string_view text, const std::vector<KeyText>& keys) {
  auto result = with_keys(std::string(text), keys);
  REQUIRE(result);
  return *result;
}

TEST_CASE("configuration text: a key changes in its place, all other lines stay") {
  CHECK(changed(kWritten, {{"smarthosts", ""}, {"smarthost", "smarthost: smtps://new.example\n"}}) ==
        "# mine\n\nlisten: [\"127.0.0.1:25\"]   # here\n# the provider\nsmarthost: smtps://new.example\n"
        "\n# log\nlog: {level: debug}\n");
  CHECK(changed(kWritten,
                {{"smarthosts", "smarthosts:\n  - host: new.example\n"}, {"from", "from: me@a.example\n"}}) ==
        "# mine\n\nlisten: [\"127.0.0.1:25\"]   # here\n# the provider\nsmarthosts:\n  - host: "
        "new.example\nfrom: "
        "me@a.example\n\n# log\nlog: {level: debug}\n");
  CHECK(changed(kWritten, {{"log", ""}}).ends_with("port: 25\n\n# log\n"));
  CHECK(changed(kWritten, {{"nothing", ""}}) == kWritten);
}

TEST_CASE("configuration text: an empty file, and one of comments alone") {
  CHECK(changed("", {{"a", "a: 1\n"}, {"b", "b: 2\n"}}) == "a: 1\nb: 2\n");
  CHECK(changed("# c\n#b: 3", {{"a", "a: 1\n"}}) == "# c\n#b: 3\na: 1\n");
}

TEST_CASE("configuration text: what has no lines of its own is refused, and broken YAML with its place") {
  CHECK_FALSE(with_keys("{smarthost: a, from: b}", {{"from", ""}}));
  auto broken = with_keys("a: [1\nb: 2\n", {{"b", ""}});
  REQUIRE_FALSE(broken);
  CHECK(broken.error().find(':') != std::string::npos);
}

TEST_CASE("configuration text: what changes is shown line by line") {
  CHECK(changed_lines("a\nb\nc\n", "a\nc\nd\n") == "- b\n+ d\n");
  CHECK(changed_lines("a\nb\n", "x\nb\n") == "- a\n+ x\n");
  CHECK(changed_lines("", "a\n") == "+ a\n");
  CHECK(changed_lines("a\n", "a\n").empty());
}

}  // namespace
}  // namespace hikyaku::setup
