// SPDX-License-Identifier: MIT
#include "daemon/base/text.h"

#include <doctest/doctest.h>

using namespace hikyaku;

TEST_CASE("text: cat joins anything that is a view") {
  CHECK(cat("a", std::string("b"), std::string_view("c")) == "abc");
}

TEST_CASE("text: case is folded in ASCII only") {
  CHECK(to_lower("MiXeD 1") == "mixed 1");
  CHECK(to_upper("MiXeD 1") == "MIXED 1");
  CHECK(equals_ignoring_case("StartTLS", "STARTTLS"));
  CHECK_FALSE(equals_ignoring_case("a", "ab"));
  CHECK(starts_with_ignoring_case("mail from:<a>", "MAIL FROM:"));
  CHECK_FALSE(starts_with_ignoring_case("mai", "MAIL"));
}

TEST_CASE("text: split keeps empty parts, words does not") {
  CHECK(split("a::b", ':') == std::vector<std::string_view>{"a", "", "b"});
  CHECK(split("", ':') == std::vector<std::string_view>{""});
  CHECK(words("  a\t b ") == std::vector<std::string_view>{"a", "b"});
  CHECK(words(" \t").empty());
  CHECK(join({"a", "b"}, ", ") == "a, b");
  CHECK(trim(" \ta b\t ") == "a b");
}

TEST_CASE("text: a number is digits only and does not wrap") {
  CHECK(parse_number("0") == 0);
  CHECK(parse_number("18446744073709551615") == UINT64_MAX);
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551616", "99999999999999999999"})
    CHECK_MESSAGE(!parse_number(bad), bad);
}

TEST_CASE("text: foreign bytes become printable, once and for all") {
  struct Row {
    std::string_view in, out;
  };
  const Row rows[] = {
      {"plain text", "plain text"},
      {"a\r\nb", "a\\x0d\\x0ab"},
      {"\x1b]0;h\x07", "\\x1b]0;h\\x07"},
      {std::string_view("n\0l", 3), "n\\x00l"},
      {"back\\slash", "back\\\\slash"},
      {"ü", "ü"},
      {"\xc0\x80", "\\xc0\\x80"},           // overlong
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"},  // surrogate
      {"\xc3", "\\xc3"},                    // cut short
      {"\xc2\x9b", "\\u{9b}"},              // C1: a terminal's CSI
      {"\xe2\x80\xa8", "\\u{2028}"},        // line separator
      {"\xe2\x80\xae", "\\u{202e}"},        // right-to-left override
      {"%n%s{}", "%n%s{}"},
  };
  for (const Row& row : rows) CHECK(printable(row.in) == row.out);
}

TEST_CASE("text: what is printable already is not escaped again, and nothing else gets through") {
  for (std::string_view foreign :
       {"220 a\r\n554 b", "back\\slash", "\\x0d", "\xe2\x80\xa8\x01", "飛脚 \x7f"}) {
    std::string once = printable(foreign);
    CHECK(still_printable(once) == once);
  }
  CHECK(still_printable("raw \r\n\x1b") == "raw \\x0d\\x0a\\x1b");
  struct Row {
    std::string_view in;
    std::string_view out;
  };
  const Row rows[] = {{"lone \\", "lone \\\\"},
                      {"\\\"", "\\\\\""},
                      {"\\x0", "\\\\x0"},
                      {"\\xzz", "\\\\xzz"},
                      {"\\u{2028}", "\\u{2028}"},
                      {"\\u{", "\\\\u{"},
                      {"\\u{1234567}", "\\\\u{1234567}"},
                      {"\\u{}", "\\\\u{}"}};
  for (const Row& row : rows) CHECK(still_printable(row.in) == row.out);
  CHECK(still_printable(std::string(5000, 'x'), 100).size() < 110);
}

TEST_CASE("text: printable has a limit") {
  std::string shown = printable(std::string(5000, 'x'), 100);
  CHECK(shown == std::string(100, 'x') + "…");
}

TEST_CASE("text: UTF-8 is checked strictly") {
  CHECK(is_valid_utf8("ü@ü.example"));
  CHECK_FALSE(is_valid_utf8("\xf5\x80\x80\x80"));
  CHECK_FALSE(is_valid_utf8("\xe2\x82"));
  CHECK(is_ascii("abc"));
  CHECK_FALSE(is_ascii("ü"));
}

TEST_CASE("text: the nearest word is found if it is near enough") {
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("tsl", "TLS") == 1);  // neighbours swapped
  CHECK(nearest("smarthsot", {"smarthost", "spool"}) == "smarthost");
  CHECK_FALSE(nearest("colour", {"smarthost", "spool"}));
}

TEST_CASE("text: bytes become two lower-case hexadecimal digits each") {
  const unsigned char bytes[] = {0x00, 0x0a, 0xf0, 0xff};
  CHECK(to_hex(bytes) == "000af0ff");
  CHECK(to_hex({}).empty());
}
