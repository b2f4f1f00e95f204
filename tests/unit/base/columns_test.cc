// SPDX-License-Identifier: MIT
#include "daemon/base/columns.h"

#include <doctest/doctest.h>

#include "daemon/base/text.h"

using namespace hikyaku;

TEST_CASE("columns: wide characters take two, combining ones none") {
  struct {
    const char* text;
    std::size_t columns;
  } const rows[] = {{"", 0},         {"abc", 3},       {"ü", 1},        {"é", 1},
                    {"飛脚", 4},     {"ひらがな", 8},  {"カタカナ", 8}, {"ｶﾅ", 2},
                    {"Ａ", 2},       {"한글", 4},      {"が", 2},       {"📬", 2},
                    {"«»", 2},       {"…", 1},         {"\xff\xfe", 2}, {"名前@例え.jp", 12},
                    {"a\u200db", 2}, {"\U00020000", 2}};
  for (const auto& row : rows) CHECK_MESSAGE(columns_of(row.text) == row.columns, row.text);
}

TEST_CASE("columns: what makes text bold takes none") {
  CHECK(columns_of(bold("ab")) == 2);
  CHECK(folded(bold("four") + " four", 9) == bold("four") + " four");
}

TEST_CASE("columns: aligned text fills its columns, wide characters included") {
  CHECK(left_aligned("ab", 4) == "ab  ");
  CHECK(left_aligned("飛脚", 6) == "飛脚  ");
  CHECK(right_aligned("飛脚", 6) == "  飛脚");
  CHECK(right_aligned("too wide", 3) == "too wide");
}

TEST_CASE("columns: text is cut between characters") {
  CHECK(cut_to("fits", 4) == "fits");
  CHECK(cut_to("too wide", 6) == "too...");
  CHECK(cut_to("飛脚飛脚", 7) == "飛脚...");
  CHECK(cut_to("飛脚飛脚", 6) == "飛...");  // half of a character does not fit
  CHECK(cut_to("飛脚飛脚", 8) == "飛脚飛脚");
  CHECK(cut_to("too wide", 2) == "..");
}

TEST_CASE("columns: a line that is too wide goes on below its text") {
  CHECK(folded("short\n", 10) == "short\n");
  CHECK(folded("one two three four\n", 10) == "one two\n  three\n  four\n");
  CHECK(folded("  in two three\n", 10) == "  in two\n    three\n");
  CHECK(folded("spool      healthy and well\n", 24) == "spool      healthy and\n           well\n");
  CHECK(folded("spool      healthy and well\n", 24, 4) == "spool      healthy and\n    well\n");
  CHECK(folded("a  b\n\n", 10) == "a  b\n\n");
}

TEST_CASE("columns: words and what is to be pasted are never broken") {
  CHECK(folded("to <a.very.long@address.example> now", 12) == "to\n  <a.very.long@address.example>\n  now");
  CHECK(folded("look: `openssl s_client -connect x:25` or ask", 16) ==
        "look:\n  `openssl s_client -connect x:25`\n  or ask");
  CHECK(folded("a `b c", 4) == "a\n  `b c");  // a single backquote ends with the line
}

TEST_CASE("columns: no line is wider than asked for, unless a word is") {
  const std::string text = "queue  " + join(std::vector<std::string>(40, "飛脚 means courier"), ", ") + "\n";
  for (std::size_t width = 30; width < 120; ++width)
    for (std::string_view line : split(folded(text, width), '\n')) CHECK(columns_of(line) <= width);
}
