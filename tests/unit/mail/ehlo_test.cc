// SPDX-License-Identifier: MIT
#include "daemon/base/text.h"
#include "daemon/mail/smtp_reply.h"
#include "doctest/doctest.h"

using namespace hikyaku;
using namespace hikyaku::mail;

namespace {

Capabilities capabilities_of(std::vector<std::string> lines) {
  lines.insert(lines.begin(), "mx.example.com at your service");
  return parse_ehlo(Reply{250, lines, {}});
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("ehlo: a full offer is understood") {
  const Capabilities all =
      capabilities_of({"PIPELINING", "SIZE 102400000", "VRFY", "ETRN", "STARTTLS",
                       "AUTH DIGEST-MD5 NTLM CRAM-MD5 PLAIN LOGIN", "ENHANCEDSTATUSCODES", "8BITMIME", "DSN",
                       "SMTPUTF8", "CHUNKING"});
  CHECK(all.name == "mx.example.com");
  CHECK(all.pipelining);
  CHECK(all.size);
  CHECK(all.max_size == 102400000);
  CHECK(all.starttls);
  CHECK(all.enhanced_status_codes);
  CHECK(all.eight_bit_mime);
  CHECK(all.dsn);
  CHECK(all.smtputf8);
  CHECK(all.chunking);
  CHECK(all.mechanisms == Words{"DIGEST-MD5", "NTLM", "CRAM-MD5", "PLAIN", "LOGIN"});
  CHECK(all.offers("PLAIN"));
  CHECK_FALSE(all.offers("GSSAPI"));
  CHECK_FALSE(all.handover);
  CHECK(capabilities_of({"DSN", "XHIKYAKU"}).handover);
}

TEST_CASE("ehlo: nothing is offered that was not named") {
  CHECK(capabilities_of({}) == Capabilities{.name = "mx.example.com", .mechanisms = {}});
  CHECK(capabilities_of({"X-PIPELINING", "PIPELININGX", "SIZES 5", "XYMCOOKIE", "", "HELP AUTH PLAIN"}) ==
        capabilities_of({}));
  CHECK(parse_ehlo(Reply{250, {""}, {}}) == Capabilities{});
  CHECK(parse_ehlo(Reply{250, {"STARTTLS"}, {}}).starttls == false);  // that is its name
}

TEST_CASE("ehlo: keywords may have any case and odd blanks") {
  const Capabilities odd = capabilities_of({"pipelining ", " starttls", "auth\tplain  Login"});
  CHECK(odd.pipelining);
  CHECK(odd.starttls);
  CHECK(odd.mechanisms == Words{"PLAIN", "LOGIN"});
}

TEST_CASE("ehlo: AUTH with a blank and with an equals sign are united, each mechanism once") {
  CHECK(capabilities_of({"AUTH=LOGIN PLAIN"}).mechanisms == Words{"LOGIN", "PLAIN"});
  CHECK(capabilities_of({"AUTH PLAIN LOGIN", "AUTH=LOGIN PLAIN"}).mechanisms == Words{"PLAIN", "LOGIN"});
  CHECK(capabilities_of({"AUTH=plain", "AUTH PLAIN XYMCOOKIE"}).mechanisms == Words{"PLAIN", "XYMCOOKIE"});
  CHECK(capabilities_of({"AUTH", "AUTH="}).mechanisms.empty());
  CHECK(capabilities_of({"AUTH A\x01 BAD! THIS-NAME-IS-LONGER-THAN-ALLOWED SCRAM-SHA-256"}).mechanisms ==
        Words{"SCRAM-SHA-256"});
}

TEST_CASE("ehlo: SIZE counts with and without a number") {
  CHECK(capabilities_of({"SIZE"}).size);
  CHECK(capabilities_of({"SIZE"}).max_size == 0);
  CHECK(capabilities_of({"SIZE 0"}).max_size == 0);
  CHECK(capabilities_of({"SIZE many"}).max_size == 0);
  CHECK(capabilities_of({"SIZE 99999999999999999999999"}).max_size == 0);
  CHECK(capabilities_of({"SIZE=15727616"}).max_size == 15727616);
}

TEST_CASE("ehlo: a flood of keywords and mechanisms stays small") {
  std::vector<std::string> lines(1'000'000, "X");
  lines.push_back("DSN");
  CHECK(capabilities_of(std::move(lines)).dsn);
  std::string auth = "AUTH";
  for (int i = 0; i < 5000; ++i) auth += cat(" M", std::to_string(i));
  CHECK(capabilities_of({auth}).mechanisms.size() == 64);
}
