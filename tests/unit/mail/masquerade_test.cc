// SPDX-License-Identifier: MIT
#include "daemon/mail/masquerade.h"

#include <initializer_list>
#include <utility>

#include "doctest/doctest.h"

using namespace hikyaku::mail;

namespace {

const Masquerade kMasquerade{.hosts = {"web1.example.com", "localhost"}, .domain = "example.com"};

std::string shown(std::string value) {
  const std::string before = value;
  CHECK(kMasquerade.apply_to_field(value) == (value != before));
  return value;
}

}  // namespace

TEST_CASE("masquerade: a hidden host's name becomes the domain, whatever its case, and no other name does") {
  for (auto [address, seen] : std::initializer_list<std::pair<const char*, const char*>>{
           {"root@web1.example.com", "root@example.com"},
           {"root@WEB1.Example.com", "root@example.com"},
           {"\"a b@web1.example.com\"@localhost", "\"a b@web1.example.com\"@example.com"},
           {"", ""},
           {"root@x.web1.example.com", "root@x.web1.example.com"},
           {"root@web1.example.com.test", "root@web1.example.com.test"},
           {"\"root@web1.example.com\"@elsewhere.test", "\"root@web1.example.com\"@elsewhere.test"},
           {"web1.example.com@elsewhere.test", "web1.example.com@elsewhere.test"}})
    CHECK(kMasquerade.apply(address) == seen);
  CHECK(Masquerade{}.apply("root@web1.example.com") == "root@web1.example.com");
}

TEST_CASE("masquerade: in a field only the domains change, and every other byte stays") {
  for (auto [value, seen] : std::initializer_list<std::pair<const char*, const char*>>{
           {" root@web1.example.com (Cron Daemon)\r\n", " root@example.com (Cron Daemon)\r\n"},
           {" =?UTF-8?B?5p2x5Lqs?=\r\n\t<www-data@Web1.example.com>\r\n",
            " =?UTF-8?B?5p2x5Lqs?=\r\n\t<www-data@example.com>\r\n"},
           {" \"root@web1.example.com\" <root@web1.example.com>",
            " \"root@web1.example.com\" <root@example.com>"},
           {" J\xc3\xb6rg  <a@localhost>,\r\n b@elsewhere.test , c@web1.example.com",
            " J\xc3\xb6rg  <a@example.com>,\r\n b@elsewhere.test , c@example.com"},
           {" Admins: a@localhost, b@web1.example.com;", " Admins: a@example.com, b@example.com;"},
           {" <a(x)@(y)localhost(z)>", " <a@example.com(z)>"},
           {" \"a b\"@localhost", " \"a b\"@example.com"}})
    CHECK(shown(value) == seen);
  for (const char* value :
       {"", "\r\n", " root", " a@elsewhere.test", " <>", " undisclosed-recipients:;", " localhost",
        " \"a@localhost\" <b@elsewhere.test>", " (a@localhost) b@elsewhere.test"})
    CHECK(shown(value) == value);
}

TEST_CASE("masquerade: the fields of senders are known in any case, also when sent again") {
  for (const char* name : {"From", "SENDER", "reply-to", "Resent-From", "resent-sender", "Resent-Reply-To"})
    CHECK(is_sender_field(name));
  for (const char* name : {"", "To", "Cc", "Bcc", "Resent-To", "Resent-", "X-From", "Return-Path", "Reply"})
    CHECK_FALSE(is_sender_field(name));
}
