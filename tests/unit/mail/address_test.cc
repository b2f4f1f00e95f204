// SPDX-License-Identifier: MIT
#include "daemon/mail/address.h"

#include <string>

#include "doctest/doctest.h"

using namespace hikyaku;
using namespace hikyaku::mail;

namespace {

constexpr PathOptions kRecipient{.default_domain = "example.com", .allow_null = false, .smtputf8 = false};
constexpr PathOptions kSender{.default_domain = "example.com", .allow_null = true, .smtputf8 = false};
constexpr PathOptions kUtf8{.default_domain = "example.com", .allow_null = true, .smtputf8 = true};

// The address, or the kind of error in brackets.
std::string read_address(std::string_view text, const PathOptions& options = kRecipient) {
  auto path = parse_path(text, options);
  if (path) return path->address;
  switch (path.error().kind) {
    case PathErrorKind::missing: return "(missing)";
    case PathErrorKind::syntax: return "(syntax)";
    case PathErrorKind::several: return "(several)";
    case PathErrorKind::too_long: return "(too long)";
    case PathErrorKind::needs_smtputf8: return "(needs smtputf8)";
  }
  return "?";
}

}  // namespace

TEST_CASE("address: the RFC's own forms are read as they are") {
  CHECK(read_address("<user@example.org>") == "user@example.org");
  CHECK(read_address("<a.b+tag=x/y@sub.example.org>") == "a.b+tag=x/y@sub.example.org");
  CHECK(read_address("<\"a b\"@example.org>") == "\"a b\"@example.org");
  CHECK(read_address("<\"a\\\"b>@c\"@example.org>") == "\"a\\\"b>@c\"@example.org");
  CHECK(read_address("<user@[127.0.0.1]>") == "user@[127.0.0.1]");
  CHECK(read_address("<user@[IPv6:2001:db8::1]>") == "user@[IPv6:2001:db8::1]");
  CHECK_FALSE(parse_path("<user@example.org>", kRecipient)->lenient);
}

TEST_CASE("address: blanks and missing brackets are forgiven and noted") {
  for (const char* text : {" <a@b.example>", "\t<a@b.example> ", "a@b.example", "  a@b.example"}) {
    CAPTURE(text);
    CHECK(read_address(text) == "a@b.example");
    CHECK(parse_path(text, kRecipient)->lenient);
  }
}

TEST_CASE("address: one without a domain gets the default domain") {
  CHECK(read_address("<postmaster>") == "postmaster@example.com");
  CHECK(read_address("root") == "root@example.com");
  CHECK(read_address("<\"a b\">") == "\"a b\"@example.com");
  CHECK(read_address("root", {}) == "(syntax)");
}

TEST_CASE("address: a source route is checked and dropped") {
  CHECK(read_address("<@a.example,@b.example:user@example.org>") == "user@example.org");
  CHECK(read_address("<@a:user>") == "user@example.com");
  for (const char* text :
       {"<@a.example>", "<@:u@b>", "<@a,b:u@c>", "<@a,:u@c>", "<a,@b:u@c>", "<@a b:u@c>"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_path(text, kRecipient).has_value());
  }
}

TEST_CASE("address: the null sender stands only where it is allowed") {
  CHECK(read_address("<>", kSender) == "");
  CHECK(parse_path("<>", kSender).has_value());
  CHECK(read_address("<>") == "(missing)");
  CHECK(read_address("", kSender) == "(missing)");
  CHECK(read_address("  ", kSender) == "(missing)");
  CHECK(read_address("< >", kSender) == "(syntax)");
}

TEST_CASE("address: dashes, pipes and shell words are pure data") {
  CHECK(read_address("<-oQ/tmp@x.example>") == "-oQ/tmp@x.example");
  CHECK(read_address("<|id@x.example>") == "|id@x.example");
  CHECK(read_address("<`id`@x.example>") == "`id`@x.example");
  CHECK(read_address("<\";touch /tmp/p;\"@x.example>") == "\";touch /tmp/p;\"@x.example");
  CHECK(read_address("<;touch /tmp/p;>") == "(syntax)");
  CHECK(read_address("<{:>999999999}@x>") == "(syntax)");
}

TEST_CASE("address: dots at odd places are kept, as some carriers' users have them") {
  CHECK(read_address("<a..b@carrier.example>") == "a..b@carrier.example");
  CHECK(read_address("<a.@carrier.example>") == "a.@carrier.example");
  CHECK(to_addr_spec("a..b@carrier.example") == "\"a..b\"@carrier.example");
  CHECK(to_addr_spec(".a@carrier.example") == "\".a\"@carrier.example");
  CHECK(to_addr_spec("a.b@carrier.example") == "a.b@carrier.example");
  CHECK(to_addr_spec("\"a..b\"@carrier.example") == "\"a..b\"@carrier.example");
}

TEST_CASE("address: what is unbalanced or out of place is refused") {
  for (const char* text : {"<a@b",
                           "a@b>",
                           "<",
                           ">",
                           "<<a@b>>",
                           "<a@b>x",
                           "<a@b>>",
                           "<\"a@b>",
                           "<a\"b@c>",
                           "<\"a\"b@c>",
                           "<\"a\\\">",
                           "<a@>",
                           "<@b>",
                           "<@>",
                           "<a@b@c>",
                           "<a b@c>",
                           "<a@b c>",
                           "<a@b..c>",
                           "<a@.b>",
                           "<a@b.>",
                           "<a@b!c>",
                           "<a(x)@b>",
                           "<a@[127.0.0.1>",
                           "<a@127.0.0.1]>",
                           "<a@[]>",
                           "<a@[x]>",
                           "<a@[1.2.3.256]>",
                           "<a@[IPv6:1.2.3.4]>",
                           "<a@[::1]>",
                           "<a@[IPv6:::1%lo]>",
                           "Name <a@b>"}) {
    CAPTURE(text);
    CHECK(read_address(text) == "(syntax)");
  }
}

TEST_CASE("address: no control gets through, quoted or not") {
  using namespace std::string_view_literals;
  for (std::string_view text :
       {"<a\0b@c>"sv, "<a@b\0>"sv, "<a@b>\0"sv, "<a\rb@c>"sv, "<a\nb@c>"sv, "<\"a\rb\"@c>"sv,
        "<\"a\\\nb\"@c>"sv, "<\"a\tb\"@c>"sv, "<a\x1b@c>"sv, "<a\x7f@c>"sv, "a@b\r\nRCPT TO:<e@x>"sv}) {
    CAPTURE(text);
    CHECK(read_address(text) == "(syntax)");
    CHECK(read_address(text, kUtf8) == "(syntax)");
  }
  CHECK(read_address("<a\xc2\x9b@c>", kUtf8) == "(syntax)");
}

TEST_CASE("address: several addresses in one command are named as such") {
  for (const char* text : {"<a@b>,<c@d>", "a@b,c@d", "<a@b,c@d>", "a@b; c@d", "<a@b> <c@d>", "<a@b><c@d>"}) {
    CAPTURE(text);
    CHECK(read_address(text) == "(several)");
  }
}

TEST_CASE("address: UTF-8 needs SMTPUTF8, and must be UTF-8") {
  const char* address = "<\xc3\xbc@\xc3\xbc.example>";
  CHECK(read_address(address) == "(needs smtputf8)");
  CHECK(read_address(address, kUtf8) == "\xc3\xbc@\xc3\xbc.example");
  CHECK(read_address("<\"\xc3\xbc \"@x>", kUtf8) == "\"\xc3\xbc \"@x");
  CHECK(read_address("<\xc0\x80@x>", kUtf8) == "(syntax)");
  CHECK(read_address("<\xff@x>", kUtf8) == "(syntax)");
}

TEST_CASE("address: lengths end where RFC 5321 ends them") {
  std::string local64(64, 'a');
  std::string label(63, 'd');
  std::string domain189 = label + "." + label + "." + label.substr(0, 61);  // 64 + 1 + 189 = 254
  CHECK(read_address("<" + local64 + "@x>") == local64 + "@x");
  CHECK(read_address("<" + local64 + "a@x>") == "(too long)");
  CHECK(read_address("<" + local64 + "@" + domain189 + ">") == local64 + "@" + domain189);
  CHECK(read_address("<" + local64 + "@" + domain189 + "d>") == "(too long)");
  CHECK(read_address("<a@" + label + "d>") == "(syntax)");
  CHECK(read_address("<a@" + std::string(100'000, 'x') + ">") == "(too long)");
}

TEST_CASE("address: split_path ends a path at its bracket or its blank, but never in quotes") {
  auto split = [](std::string_view text) {
    auto parts = split_path(text);
    return std::string(parts.path) + "|" + std::string(parts.rest);
  };
  CHECK(split("<a@b> SIZE=1") == "<a@b>| SIZE=1");
  CHECK(split(" <a@b> SIZE=1") == " <a@b>| SIZE=1");
  CHECK(split("a@b SIZE=1") == "a@b| SIZE=1");
  CHECK(split("<a@b>,<c@d>") == "<a@b>|,<c@d>");
  CHECK(split("<\"a> b\"@c> X") == "<\"a> b\"@c>| X");
  CHECK(split("\"a b\"@c X") == "\"a b\"@c| X");
  CHECK(split("<\"a\\\"> b\"@c> X") == "<\"a\\\"> b\"@c>| X");
  CHECK(split("<\"a@b> X") == "<\"a@b> X|");
  CHECK(split("<a@b") == "<a@b|");
  CHECK(split("") == "|");
}

TEST_CASE("address: local part and domain are told apart, whatever is quoted") {
  CHECK(local_part_of("a@b.example") == "a");
  CHECK(domain_of("a@b.example") == "b.example");
  CHECK(local_part_of("\"x@y\"@b.example") == "\"x@y\"");
  CHECK(domain_of("\"x@y\"@[127.0.0.1]") == "[127.0.0.1]");
  CHECK(local_part_of("") == "");
  CHECK(domain_of("") == "");
}

TEST_CASE("address: the text of an error repeats nothing of the input") {
  for (const char* text : {"<SECRET@b", "<SECRET@b>,<c@SECRET>", "<SECRET\xc3\xbc@b>", "SECRET SECRET"}) {
    auto path = parse_path(text, kRecipient);
    REQUIRE_FALSE(path.has_value());
    CHECK(path.error().text.find("SECRET") == std::string::npos);
  }
}
