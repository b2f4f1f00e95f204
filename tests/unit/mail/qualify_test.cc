// SPDX-License-Identifier: MIT
#include "daemon/mail/intake.h"
#include "doctest/doctest.h"

using namespace hikyaku::mail;

namespace {

std::string qualified(std::string value, std::string_view domain = "example.com") {
  std::string before = value;
  CHECK(qualify_addresses(value, domain) == (value != before));
  return value;
}

}  // namespace

TEST_CASE("qualify: a name without a domain gets it in its place, and nothing else changes") {
  for (auto [value, expected] : std::initializer_list<std::pair<const char*, const char*>>{
           {" root (Cron Daemon)\r\n", " root@example.com (Cron Daemon)\r\n"},
           {"root", "root@example.com"},
           {" root, me@x ,\r\n\twww-data\r\n", " root@example.com, me@x ,\r\n\twww-data@example.com\r\n"},
           {" \"Cron, Daemon\" <root>", " \"Cron, Daemon\" <root@example.com>"},
           {" <root (x)>", " <root@example.com (x)>"},
           {" Admins: root, me@x;, operator", " Admins: root@example.com, me@x;, operator@example.com"},
           {" \"two words\"", " \"two words\"@example.com"},
           {" J\xc3\xb6rg <root>", " J\xc3\xb6rg <root@example.com>"}}) {
    CAPTURE(value);
    CHECK(qualified(value) == expected);
  }
}

TEST_CASE("qualify: what is no name is left as it is") {
  for (const char* value : {"", "\r\n", " me@x", " <>", " Some Body", " undisclosed-recipients:;", " root@",
                            " =?UTF-8?B?eA==?=", " J\xc3\xb6rg", " a\x01z", " (root)", " <@a,@b:me@x>"}) {
    CAPTURE(value);
    CHECK(qualified(value) == value);
  }
  CHECK(qualified(std::string(65, 'x')) == std::string(65, 'x'));
}

TEST_CASE("qualify: without a domain nothing changes; an address literal is one") {
  CHECK(qualified("root", "") == "root");
  CHECK(qualified("root", "[192.0.2.1]") == "root@[192.0.2.1]");
}

TEST_CASE("qualify: the fields that hold addresses are known in any case, also when sent again") {
  for (const char* name : {"From", "to", "CC", "Sender", "Reply-To", "Resent-From", "resent-to", "Resent-Cc"})
    CHECK(is_address_field(name));
  for (const char* name : {"", "Subject", "Bcc", "Return-Path", "X-From", "Fro", "Tos", "Resent-",
                           "Resent-Date", "Errors-To", "Resent-Resent-To"})
    CHECK_FALSE(is_address_field(name));
}
