// SPDX-License-Identifier: MIT
#include "daemon/base/text.h"
#include "doctest/doctest.h"
#include "smtpd/replies.h"

using namespace hikyaku;
using namespace hikyaku::smtpd;

TEST_CASE("reply: one line carries its code, its enhanced status and its text") {
  CHECK(to_wire(Reply(550, {5, 1, 1}, "no")) == "550 5.1.1 no\r\n");
  CHECK(to_wire(Reply(354, {}, "go")) == "354 go\r\n");
  CHECK(to_text(Reply(550, {5, 1, 1}, "no")) == "550 5.1.1 no");
}

TEST_CASE("reply: every line of several carries the code, all but the last with a hyphen") {
  Reply reply(535, {5, 7, 8}, "no");
  reply.lines.push_back("really");
  CHECK(to_wire(reply) == "535-5.7.8 no\r\n535 5.7.8 really\r\n");
  CHECK(to_text(reply) == "535 5.7.8 no / really");
}

TEST_CASE("replies: the greeting carries the token and never the word ESMTP") {
  std::string greeting = to_wire(replies::greeting("mx.test", "t0ken"));
  CHECK(greeting == "220 mx.test hikyaku t0ken ready\r\n");
  CHECK(to_upper(greeting).find("ESMTP") == greeting.npos);
}

TEST_CASE(
    "replies: greeting, HELO, EHLO and 3yz have no enhanced status, what else is said has one of its class") {
  CHECK(to_wire(replies::ehlo("mx.test", {"PIPELINING", "DSN"})) ==
        "250-mx.test\r\n250-PIPELINING\r\n250 DSN\r\n");
  for (const Reply& reply : {replies::helo("mx"), replies::send_content(), replies::auth_challenge("eA==")})
    CHECK(reply.status.status_class == 0);
  for (const Reply& reply :
       {replies::ok(), replies::too_many_recipients(), replies::has_nul(), replies::bye(),
        replies::timed_out(), replies::auth_ok(), replies::auth_refused(), replies::starttls_go(),
        replies::too_big(1), replies::not_smtp()}) {
    CAPTURE(to_text(reply));
    CHECK(reply.status.status_class == reply.code / 100);
  }
}

TEST_CASE("replies: a failing spool is told as RFC 3463 has it") {
  using mail::SinkErrorKind;
  auto text = [](SinkErrorKind kind) { return to_text(replies::from(mail::SinkError{kind, "secret path"})); };
  CHECK(text(SinkErrorKind::no_space).starts_with("452 4.3.1 "));
  CHECK(text(SinkErrorKind::write_failed).starts_with("451 4.3.0 "));
  CHECK(text(SinkErrorKind::shutting_down).starts_with("421 4.3.2 "));
  CHECK(text(SinkErrorKind::no_space).find("secret") == std::string::npos);
}
