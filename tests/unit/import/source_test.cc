// SPDX-License-Identifier: MIT
#include "daemon/import/source.h"

#include <doctest/doctest.h>

#include "daemon/base/text.h"

namespace hikyaku::importing {
namespace {

std::string shown_lines(const std::vector<Line>& lines) {
  std::string all;
  for (const Line& line : lines) all += cat(std::to_string(line.number), ":", line.text, "|");
  return all;
}

TEST_CASE("import: lines are counted, and those that say nothing are left out") {
  CHECK(shown_lines(lines_of("a\n\n# b\n  # c\n\r\n d \r\n\te\n")) == "1:a|6: d |7:\te|");
  CHECK(shown_lines(lines_of("")) == "");
  CHECK(shown_lines(lines_of("no end")) == "1:no end|");
}

TEST_CASE("import: a line that begins with a blank continues the one before it") {
  CHECK(shown_lines(logical_lines_of("a =\n  b\n# c\n\td\ne\n")) == "1:a = b d|5:e|");
  CHECK(shown_lines(logical_lines_of(" first\nb")) == "1: first|2:b|");
}

TEST_CASE("import: words, lists and yes") {
  CHECK(first_word("  key \t the rest ").word == "key");
  CHECK(first_word("  key \t the rest ").rest == "the rest");
  CHECK(first_word("").word == "");
  CHECK(list_of("a, b c,,d ").size() == 4);
  for (const char* yes : {"yes", "ON", "True", "1"}) CHECK(is_yes(yes));
  for (const char* no : {"", "no", "2", "y"}) CHECK(!is_yes(no));
  CHECK(directory_of("/etc/postfix/main.cf") == "/etc/postfix");
  CHECK(directory_of("/main.cf") == "/");
  CHECK(directory_of("main.cf") == ".");
}

}  // namespace
}  // namespace hikyaku::importing
