// SPDX-License-Identifier: MIT
#include "daemon/mail/address_list.h"

#include <string>

#include "doctest/doctest.h"

using namespace hikyaku::mail;

namespace {

// "a@b|c@d", then "!" and the problem's text.
std::string read_list(std::string_view value) {
  AddressList list = parse_address_list(value);
  std::string text;
  for (const auto& mailbox : list.mailboxes) text += (text.empty() ? "" : "|") + mailbox.address;
  return list.problem ? text + "!" + list.problem->text : text;
}

// The value with @d put where an address lacks its domain.
std::string completed(std::string value) {
  AddressList list = parse_address_list(value);
  for (auto mailbox = list.mailboxes.rbegin(); mailbox != list.mailboxes.rend(); ++mailbox)
    if (!mailbox->has_domain) value.insert(mailbox->end, "@d");
  return value;
}

struct ListRow {
  const char* value;
  const char* addresses;
};

void check_lists(std::initializer_list<ListRow> rows) {
  for (const auto& row : rows) {
    CAPTURE(row.value);
    CHECK(read_list(row.value) == row.addresses);
  }
}

constexpr const char* kNoAddress = "!a name without an address, or no comma between two addresses";

}  // namespace

TEST_CASE("address list: mailboxes stand alone or in brackets, with a name or without") {
  check_lists({{"a@b", "a@b"},
               {" a@b , c@d", "a@b|c@d"},
               {"Al <a@b>, \"B, C\" <c@d>", "a@b|c@d"},
               {"John Q. Public <j@x.example>", "j@x.example"},
               {"M\xc3\xbcller <m@x>", "m@x"},
               {"=?UTF-8?B?eA==?= <m@x>", "m@x"},
               {"a@b <c@d>", "c@d"},
               {"root", "root"},
               {"a@[127.0.0.1], b@[IPv6:::1]", "a@[127.0.0.1]|b@[IPv6:::1]"},
               {"\"a b\"@c, \"x@y\"@z", "\"a b\"@c|\"x@y\"@z"},
               {"|id@x, -oQ/tmp@x, a+b=c/d@x", "|id@x|-oQ/tmp@x|a+b=c/d@x"}});
}

TEST_CASE("address list: comments, folds and blanks belong to nothing") {
  check_lists({{"a@b (to: z@z)", "a@b"},
               {"(x (nested) \\) y@z) a@b", "a@b"},
               {"root (Cron Daemon)", "root"},
               {"a (x) @ (y) b . c", "a@b.c"},
               {"a@b,\r\n \"x,y\"\r\n <c@d>", "a@b|c@d"},
               {"a@b,\n\tc@d\n", "a@b|c@d"},
               {"<\r\n a@b\r\n >", "a@b"},
               {"a@b (never closed, c@d", "a@b"},
               {"\"a\r\n b\"@c", "\"a b\"@c"},
               {"a@[ 127.0.0.1 ]", "a@[127.0.0.1]"}});
}

TEST_CASE("address list: groups are their members") {
  check_lists({{"undisclosed-recipients:;", ""},
               {"A Group: Al <a@b>, c@d;, e@f", "a@b|c@d|e@f"},
               {"x:a@b;y:c@d;", "a@b|c@d"},
               {"\"quoted: group\": a@b;", "a@b"},
               {"open: a@b, c@d", "a@b|c@d"},
               {"mailto:a@b", "a@b"}});
}

TEST_CASE("address list: what is empty is no problem, and a semicolon separates too") {
  check_lists({{"", ""},
               {"  \r\n ", ""},
               {",, ,", ""},
               {"<>", ""},
               {"Nobody <>", ""},
               {";", ""},
               {"(x)", ""},
               {"a@b; c@d;", "a@b|c@d"},
               {",a@b,,c@d,", "a@b|c@d"},
               {"a@b,\n \"x,y\" <c@d>;", "a@b|c@d"}});
}

TEST_CASE("address list: a route is dropped, obsolete words are put into one") {
  check_lists({{"<@a,@b:user@host>", "user@host"},
               {"X <@a:user@host>, c@d", "user@host|c@d"},
               {"\"a b\".c@d", "\"a b.c\"@d"},
               {"a.\"b\\\"c\"@d", "\"a.b\\\"c\"@d"},
               {"a..b.@carrier.example", "a..b.@carrier.example"}});
}

TEST_CASE("address list: an entry that cannot be read is told and left out, the others are read") {
  const std::string closed = "!a quote or bracket is not closed";
  check_lists({{"John Smith", kNoAddress},
               {"a@b c@d", kNoAddress},
               {"<a@b> <c@d>", kNoAddress},
               {"a@b@c", kNoAddress},
               {"@b", kNoAddress},
               {"a@", kNoAddress},
               {"a\\b@c", kNoAddress},
               {"a)@c", kNoAddress},
               {"a@b\x01", kNoAddress},
               {"a@\"b\"", kNoAddress},
               {"a@[1][2]", kNoAddress},
               {"\"a\"b@c", kNoAddress},
               {"<a b@c>", kNoAddress},
               {"<a@b> c@d", "!there is text after the address"},
               {"a@b>", "!a bracket is closed that was not opened"},
               {"a@b:25", "!a colon is in the wrong place"},
               {":a@b", "!a colon is in the wrong place"},
               {"\"a <b@c>", closed.c_str()},
               {"<a@b, c@d", ("c@d" + closed).c_str()},
               {"a@[1", closed.c_str()},
               {"<a@b", closed.c_str()}});
  CHECK(read_list("x@y, John Smith, a@b c, c@d") == std::string("x@y|c@d") + kNoAddress);
  CHECK(parse_address_list("x@y, John Smith, z").problem->at == 5);
}

TEST_CASE("address list: a NUL is no letter") {
  using namespace std::string_view_literals;
  CHECK(read_list("a\0b@c"sv) == kNoAddress);
}

TEST_CASE("address list: each mailbox knows its place, so that its domain can be put there") {
  CHECK(completed("root (Cron Daemon)") == "root@d (Cron Daemon)");
  CHECK(completed(" Al <root>,\r\n x@y, \"a b\" , <@r:u>") == " Al <root@d>,\r\n x@y, \"a b\"@d , <@r:u@d>");
  CHECK(completed("list: root, daemon (x);") == "list: root@d, daemon@d (x);");
  CHECK(completed("John Smith, root") == "John Smith, root@d");
  auto list = parse_address_list("Al < a (x) @ b >");
  REQUIRE(list.mailboxes.size() == 1);
  CHECK(list.mailboxes[0].address == "a@b");
  CHECK(list.mailboxes[0].begin == 5);
  CHECK(list.mailboxes[0].end == 14);
  CHECK(list.mailboxes[0].has_domain);
}

namespace {

// Each entry as it stands, with # in place of its address.
std::string entries(std::string_view value) {
  std::string text;
  for (const auto& mailbox : parse_address_list(value).mailboxes) {
    text += text.empty() ? "" : "|";
    text += value.substr(mailbox.entry_begin, mailbox.spot_begin - mailbox.entry_begin);
    text += mailbox.is_bracketed ? "<#>" : "#";
    text += value.substr(mailbox.spot_end, mailbox.entry_end - mailbox.spot_end);
    text += mailbox.has_at_in_name ? "!" : "";
  }
  return text;
}

}  // namespace

TEST_CASE("address list: each mailbox knows its entry, so that it can be written with another address") {
  CHECK(entries(" root@x (Cron Daemon)\r\n") == " # (Cron Daemon)\r\n");
  CHECK(entries("Al < a (x) @ b > (y), =?UTF-8?B?eA==?=\r\n =?UTF-8?B?eA==?= <@r,@s:c@d>\r\n") ==
        "Al <#> (y)| =?UTF-8?B?eA==?=\r\n =?UTF-8?B?eA==?= <#>\r\n");
  CHECK(entries("team: Al <a@b>, c@d ;e@f") == " Al <#>| # |#");
  CHECK(entries("<> , \"B, C\" <c@d>") == " \"B, C\" <#>");
  CHECK(entries("a@b <c@d>, \"e@f\" <g@h>") == "a@b <#>!| \"e@f\" <#>");
  CHECK(entries("no address, (x) a@b") == " (x) #");
}

TEST_CASE("address list: nothing hostile takes long") {
  CHECK(read_list(std::string(1'000'000, '(')) == "");
  CHECK(read_list(std::string(1'000'000, '"')).ends_with("addresses"));
  CHECK(read_list(std::string(1'000'000, '<')).starts_with('!'));
  CHECK(read_list(std::string(1'000'000, ':')).starts_with('!'));
  CHECK(read_list("<@" + std::string(1'000'000, ',') + ":a@b>") == "a@b");
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += "a@b,";
  CHECK(parse_address_list(many).mailboxes.size() == 100'000);
}
