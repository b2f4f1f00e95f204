// SPDX-License-Identifier: MIT
#include "daemon/base/text.h"
#include "daemon/mail/dsn.h"
#include "doctest/doctest.h"

using namespace hikyaku;
using namespace hikyaku::mail;

TEST_CASE("report_text: text is wrapped at blanks and indented") {
  CHECK(wrapped("one two") == "one two\r\n");
  CHECK(wrapped("one  two", 4) == "    one two\r\n");
  const std::string long_text = wrapped(std::string("word ") + std::string(74, 'a') + " end", 2);
  CHECK(long_text == "  word\r\n  " + std::string(74, 'a') + "\r\n  end\r\n");
}

TEST_CASE("report_text: a word that no line could hold is cut") {
  for (const std::string& line : {wrapped(std::string(5000, 'x')), folded_field("X", std::string(5000, 'x'))})
    for (const std::string_view part : split(line, '\n')) CHECK(part.size() <= kMaxLine);
}

TEST_CASE("report_text: a field is folded with a blank before the continuation") {
  CHECK(folded_field("Action", "failed") == "Action: failed\r\n");
  CHECK(folded_field("Diagnostic-Code", std::string("smtp; 550 ") + std::string(60, 'x') + " end") ==
        "Diagnostic-Code: smtp; 550\r\n " + std::string(60, 'x') + " end\r\n");
}

TEST_CASE("report_text: an ASCII form has no bytes beyond ASCII and no controls") {
  CHECK(ascii_form("plain \\ text") == "plain \\ text");
  CHECK(ascii_form("us\xc3\xa9r") == "us\\x{E9}r");
  CHECK(ascii_form("\xe6\x97\xa5\xf0\x9f\x93\xac") == "\\x{65E5}\\x{1F4EC}");
  CHECK(is_ascii(ascii_form("\xff\x01 \xc3")));
}

TEST_CASE("report_text: an address carries its type") {
  CHECK(typed_address("a+b@example.com") == "rfc822; a+b@example.com");
  CHECK(typed_address("\"a\\\"b\"@example.com") == "rfc822; \"a\\\"b\"@example.com");
  CHECK(typed_address("us\xc3\xa9r+x@example.com") == "utf-8; us\\x{E9}r\\x{2B}x@example.com");
}

TEST_CASE("report_text: quoted-printable encodes what it must and breaks long lines softly") {
  CHECK(quoted_printable("a = \xc3\xa9\r\n") == "a =3D =C3=A9\r\n");
  CHECK(quoted_printable("end \r\n") == "end=20\r\n");
  const std::string long_line = quoted_printable(std::string(200, 'x'));
  for (const std::string_view part : split(long_line, '\n')) CHECK(part.size() <= 77);
  CHECK(long_line.find("=\r\n") != long_line.npos);
}

TEST_CASE("report_text: odd content becomes canonical") {
  CHECK(canonical("", "") == "");
  CHECK(canonical("a\nb\rc\r\nd", "") == "a\r\nb\r\nc\r\nd\r\n");
  CHECK(canonical("a\n\n", "") == "a\r\n\r\n");
  CHECK(canonical(std::string_view("a\0b", 3), "") == "ab\r\n");
  const std::string broken = canonical(std::string(2000, 'x'), " ");
  CHECK(broken ==
        std::string(998, 'x') + "\r\n " + std::string(997, 'x') + "\r\n " + std::string(5, 'x') + "\r\n");
}
