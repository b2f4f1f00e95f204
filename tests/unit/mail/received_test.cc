// SPDX-License-Identifier: MIT
#include "daemon/mail/received.h"

#include <algorithm>
#include <string>

#include "doctest/doctest.h"

using namespace hikyaku;
using namespace hikyaku::mail;

namespace {

ReceivedFacts facts() {
  return {.helo = "app.example.com",
          .client = IpAddress::parse("127.0.0.1"),
          .uid = {},
          .account = {},
          .hostname = "host.example.com",
          .id = "0000000000abc",
          .traits = {.esmtp = true},
          .only_recipient = "user@example.org",
          .now = WallTime(std::chrono::seconds(1'790'000'000))};
}

}  // namespace

TEST_CASE("received: the field names client, us, protocol, id, recipient and date") {
  ReceivedFacts given = facts();
  CHECK(received_field(given) ==
        "Received: from app.example.com ([127.0.0.1])\r\n"
        "\tby host.example.com (hikyaku) with ESMTP id 0000000000abc\r\n"
        "\tfor <user@example.org>;\r\n"
        "\t" +
            to_rfc5322_date(given.now) + "\r\n");
}

TEST_CASE("received: with several recipients none is named") {
  ReceivedFacts given = facts();
  given.only_recipient = "";
  CHECK(received_field(given).find("for <") == std::string::npos);
  CHECK(received_field(given).find("id 0000000000abc;\r\n\t") != std::string::npos);
}

TEST_CASE("received: an IPv6 client is a literal, a Unix socket's client its uid") {
  ReceivedFacts given = facts();
  given.client = IpAddress::parse("::1");
  CHECK(received_field(given).starts_with("Received: from app.example.com ([IPv6:::1])\r\n"));
  given.client = std::nullopt;
  given.uid = 1000;
  CHECK(received_field(given).starts_with("Received: from localhost (from userid 1000)\r\n"));
  given.account = "www-data";
  CHECK(received_field(given).starts_with("Received: from localhost (from userid 1000, www-data)\r\n"));
  given.uid = std::nullopt;
  CHECK(received_field(given).starts_with("Received: from localhost\r\n"));
}

TEST_CASE("received: a user's name that could end the comment is left out") {
  ReceivedFacts given = facts();
  given.client = std::nullopt;
  given.uid = 7;
  for (std::string_view account :
       {"x) by evil (", "a b", "x\r\nBcc: e@x", "back\\slash", "a;b", "\xc3\xbc", "(c)", "a\x1b[0m"}) {
    CAPTURE(account);
    given.account = account;
    CHECK(received_field(given).starts_with("Received: from localhost (from userid 7)\r\n"));
  }
  const std::string long_name(65, 'x');
  given.account = long_name;
  CHECK(received_field(given).starts_with("Received: from localhost (from userid 7)\r\n"));
  given.account = "DOMAIN+some.user_1-x$";
  CHECK(received_field(given).starts_with("Received: from localhost (from userid 7, DOMAIN+some.user_1-x$)"));
}

TEST_CASE("received: names and literals from HELO appear as they came") {
  ReceivedFacts given = facts();
  for (std::string_view helo : {"localhost", "my_host", "[192.0.2.1]", "[IPv6:::1]"}) {
    given.helo = helo;
    CHECK(received_field(given).starts_with("Received: from " + std::string(helo) + " ([127.0.0.1])\r\n"));
  }
}

TEST_CASE("received: any other HELO gives way to the address, so that nothing is injected") {
  ReceivedFacts given = facts();
  for (std::string_view helo : {"", "x) by evil (", "a b", "x\r\nBcc: e@x", "x;y", "a..b", "\xc3\xbc.example",
                                "x\x1b[0m", "[evil]", "(x)"}) {
    given.helo = helo;
    CAPTURE(helo);
    std::string field = received_field(given);
    CHECK(std::ranges::count(field, '\n') == 4);
    CHECK(field.starts_with("Received: from [127.0.0.1] ([127.0.0.1])\r\n"));
  }
}

TEST_CASE("received: a UTF-8 name appears in a UTF-8 transaction only") {
  ReceivedFacts given = facts();
  given.helo = "\xc3\xbc.example";
  given.traits.smtputf8 = true;
  CHECK(received_field(given).starts_with("Received: from \xc3\xbc.example ("));
  given.helo = "\xff.example";
  CHECK(received_field(given).starts_with("Received: from [127.0.0.1] ("));
}

TEST_CASE("received: protocol names are those of RFC 3848 and RFC 6531") {
  CHECK(with_protocol({}) == "SMTP");
  CHECK(with_protocol({.esmtp = true}) == "ESMTP");
  CHECK(with_protocol({.esmtp = true, .tls = true}) == "ESMTPS");
  CHECK(with_protocol({.esmtp = true, .authenticated = true}) == "ESMTPA");
  CHECK(with_protocol({.esmtp = true, .tls = true, .authenticated = true}) == "ESMTPSA");
  CHECK(with_protocol({.esmtp = true, .smtputf8 = true}) == "UTF8SMTP");
  CHECK(with_protocol({.esmtp = true, .tls = true, .smtputf8 = true}) == "UTF8SMTPS");
  CHECK(with_protocol({.esmtp = true, .authenticated = true, .smtputf8 = true}) == "UTF8SMTPA");
  CHECK(with_protocol({.esmtp = true, .tls = true, .authenticated = true, .smtputf8 = true}) == "UTF8SMTPSA");
}

TEST_CASE("received: without the client there is no name, address or user, and all else as it was") {
  ReceivedFacts given = facts();
  const std::string whole = received_field(given);
  CHECK(without_client(whole) == "Received: from localhost" + whole.substr(whole.find("\r\n")));
  given.client = std::nullopt;
  given.uid = 1000;
  given.account = "anna";
  CHECK(without_client(received_field(given)) == without_client(whole));
  CHECK(without_client(*without_client(whole)) == without_client(whole));
}

TEST_CASE("received: a line of another server is not one of ours") {
  for (const char* other :
       {"", "Received: from a\r\n", "Received: from a by b (hikyaku) with SMTP id 1;\r\n\tdate\r\n",
        "Received: from a\r\n\tby b with SMTP\r\n\tfor (hikyaku) with x\r\n",
        "received: from a\r\n\tby b (hikyaku) with SMTP id 1;\r\n\tdate\r\n",
        "Received: by a\r\n\tby b (hikyaku) with SMTP id 1;\r\n\tdate\r\n"})
    CHECK_FALSE(without_client(other));
}
