// SPDX-License-Identifier: MIT
#include "daemon/mail/address_pattern.h"

#include <initializer_list>
#include <string>

#include "doctest/doctest.h"

using namespace hikyaku::mail;

namespace {

AddressPattern pattern_of(std::string_view text) {
  auto pattern = AddressPattern::parse(text);
  REQUIRE_MESSAGE(pattern.has_value(), text);
  return *pattern;
}

std::string complaint_about(std::string_view text) {
  auto pattern = AddressPattern::parse(text);
  return pattern ? "none" : pattern.error();
}

struct Match {
  const char* pattern;
  std::initializer_list<const char*> matched;
  std::initializer_list<const char*> others;
};

const Match kMatches[] = {
    {"*", {"a@example.com", "", "\"a b\"@[192.0.2.1]", "b\xc3\xbc@b\xc3\xbc.example"}, {}},
    {"<>", {""}, {"a@example.com", "<>", "MAILER-DAEMON@example.com"}},
    {"anna@example.com",
     {"anna@example.com", "Anna@EXAMPLE.com", "\"anna\"@example.com", "\"a\\nna\"@example.com"},
     {"", "anna@sub.example.com", "hanna@example.com", "anna+x@example.com", "anna@example.com.test",
      "\"anna \"@example.com"}},
    {"*@example.com",
     {"a@example.com", "a@Example.COM", "\"a b\"@example.com", "\"a@evil.test\"@example.com",
      "a%b.test@example.com"},
     {"", "a@sub.example.com", "a@notexample.com", "a@example.com.test", "a@example.net", "example.com",
      "@example.com"}},
    {"*@*.example.com",
     {"a@sub.example.com", "a@b.c.example.com", "a@SUB.Example.com"},
     {"", "a@example.com", "a@notexample.com", "a@.example.com", "a@*.example.com", "a@sub..example.com"}},
    {"*@[192.0.2.1]", {"a@[192.0.2.1]"}, {"a@192.0.2.1", "a@[192.0.2.10]"}},
    {"*@localhost", {"root@localhost"}, {"root@localhost.localdomain"}},
    {"*@b\xc3\xbc.example",
     {"a@b\xc3\xbc.example", "\xc3\xbc@b\xc3\xbc.EXAMPLE"},
     {"a@xn--b-xga.example", "a@b\xc3\x9c.example"}},
    {"\"*\"@example.com", {"\"*\"@example.com", "*@example.com"}, {"a@example.com"}},
};

}  // namespace

TEST_CASE("pattern: each form matches its own addresses and no others") {
  for (const Match& row : kMatches) {
    CAPTURE(std::string(row.pattern));
    const AddressPattern pattern = pattern_of(row.pattern);
    for (const char* address : row.matched) CHECK_MESSAGE(pattern.matches(address), address);
    for (const char* address : row.others) CHECK_MESSAGE(!pattern.matches(address), address);
  }
}

TEST_CASE("pattern: no trick of notation makes a foreign address one of the domain") {
  for (const char* pattern : {"*@example.com", "*@*.example.com", "a@example.com"})
    for (const char* address : {"\"a@example.com\"@evil.test",
                                "\"a@x.example.com\"@evil.test",
                                "a%example.com@evil.test",
                                "example.com!a@evil.test",
                                "@example.com:a@evil.test",
                                "@evil.test:a@example.com",
                                "@evil.test,@b.test:a@x.example.com",
                                "<a@example.com>",
                                "a@evil.test@example.com",
                                "a@evil.test,b@example.com",
                                "a@example.com.",
                                "a@x.example.com.",
                                "a@example.com ",
                                " a@example.com",
                                "a@example.com\r\n",
                                "a@example.com@evil.test",
                                "a@evil.test\\@example.com",
                                "a@evilexample.com",
                                "a@example.com.evil.test",
                                "a@ex\xc3\xa0mple.com",
                                "a@xn--exmple-cua.com",
                                "a@example\xe3\x80\x82"
                                "com",
                                "a@\xef\xbc\x85xample.com",
                                "a@EXAMPLE.com\xe2\x80\x8b",
                                "a b@example.com",
                                "\"a@example.com",
                                "(x)a@example.com",
                                "a@(x)example.com",
                                "a@[example.com]",
                                "a@example.com(x)"}) {
      CAPTURE(std::string(pattern));
      CHECK_MESSAGE(!pattern_of(pattern).matches(address), address);
    }
}

TEST_CASE("pattern: what is no pattern is refused with what one is, and is not repeated") {
  for (const std::string text :
       {"", "anna", "*@", "*@*", "*@*.*.example.com", "*@ex*mple.com", "shop-*@example.com",
        "a@*.example.com", "**@example.com", "a@b@example.com", "a@-\xff", "anna @example.com",
        "a, b@example.com", "*@[x]", "@b.test:a@example.com", "<a@example.com>", "*@*.[192.0.2.1]",
        "a@exa mple.com", "!*@example.com"}) {
    CAPTURE(text);
    CHECK(complaint_about(text).starts_with(
        "must be an address such as user@example.com, \"*@example.com\" for all"));
  }
  CHECK(complaint_about("secret.test") ==
        "must say whose addresses, too: \"*@example.com\" means all at example.com");
  CHECK(complaint_about("@secret.test") == complaint_about("secret.test"));
  CHECK(complaint_about("*@secret.test.") == "must not end with a dot");
  CHECK(complaint_about("*@*.") == "must not end with a dot");
  CHECK(complaint_about("a@secret.test.") == "must not end with a dot");
}

TEST_CASE("pattern: a list matches what any of its patterns does, and reads as it was written") {
  const AddressPatterns patterns = {pattern_of("*@Example.com"), pattern_of("anna@other.test")};
  CHECK(matches_any(patterns, "a@example.com"));
  CHECK(matches_any(patterns, "anna@other.test"));
  CHECK_FALSE(matches_any(patterns, "a@other.test"));
  CHECK_FALSE(matches_any({}, "a@example.com"));
  CHECK(to_text(patterns) == "*@Example.com, anna@other.test");
  CHECK(to_text(AddressPatterns()) == "");
}
