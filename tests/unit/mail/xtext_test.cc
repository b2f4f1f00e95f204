// SPDX-License-Identifier: MIT
#include "daemon/mail/smtp_command.h"
#include "doctest/doctest.h"

using namespace hikyaku::mail;

TEST_CASE("xtext: plus, equals sign and blank are encoded, the rest stays") {
  CHECK(to_xtext("a+b=c d@example.com") == "a+2Bb+3Dc+20d@example.com");
  CHECK(to_xtext("") == "");
}

TEST_CASE("xtext: every printable ASCII text survives a round trip") {
  std::string all;
  for (char c = ' '; c < 0x7f; ++c) all += c;
  CHECK(from_xtext(to_xtext(all)) == all);
  CHECK(from_xtext(to_xtext("+")) == "+");
  CHECK(from_xtext(to_xtext("+2B")) == "+2B");
}

TEST_CASE("xtext: hexadecimal digits are taken in either case") { CHECK(from_xtext("+2b+2B") == "++"); }

TEST_CASE("xtext: no control and no byte beyond ASCII comes out of it") {
  for (const char* text : {"+00", "+0D+0A", "a+0Ab", "+1B", "+7F", "+80", "+FF", "a+00b"}) {
    CAPTURE(text);
    CHECK_FALSE(from_xtext(text).has_value());
  }
}

TEST_CASE("xtext: what may not stand in it is refused") {
  using namespace std::string_view_literals;
  for (std::string_view text : {"+"sv, "+2"sv, "a+"sv, "+G0"sv, "+2G"sv, "++2B"sv, "a=b"sv, "a b"sv, "a\tb"sv,
                                "a\0b"sv, "a\rb"sv, "\x7f"sv, "\xc3\xa4"sv}) {
    CAPTURE(text);
    CHECK_FALSE(from_xtext(text).has_value());
  }
}

TEST_CASE("xtext: with SMTPUTF8 valid UTF-8 may stand unencoded, and is written so") {
  CHECK(from_xtext("\xc3\xa4+2B", true) == "\xc3\xa4+");
  CHECK(to_xtext("\xc3\xa4+") == "\xc3\xa4+2B");
  CHECK_FALSE(from_xtext("\xc0\x80", true).has_value());
}
