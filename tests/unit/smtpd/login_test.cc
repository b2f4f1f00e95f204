// SPDX-License-Identifier: MIT
// STARTTLS and AUTH, as `hikyaku sink` offers them, and the relay for applications that insist.
#include "daemon/base/base64.h"
#include "daemon/io/hashes.h"
#include "daemon/io/tls.h"
#include "doctest/doctest.h"
#include "tests/support/peers/smtpd_rig.h"
#include "tests/support/peers/test_certificates.h"

using namespace hikyaku;

namespace {

const std::string kPlain = "AUTH PLAIN " + to_base64(std::string("\0tim\0secret", 11)) + "\r\n";
const std::string kOneMail = "MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\nx\r\n.\r\n";

void offer_auth(test::SmtpdRig& rig, bool needs_tls) {
  rig.options.auth.emplace();
  rig.options.auth->needs_tls = needs_tls;
  rig.options.auth->user = "tim";
  rig.options.auth->password = Secret("secret");
}

void offer_any_login(test::SmtpdRig& rig) {
  rig.options.auth.emplace();
  rig.options.auth->mechanisms = {"PLAIN", "LOGIN"};
  rig.options.auth->trusts_loopback = true;
  rig.options.auth->takes_any = true;
  rig.options.auth->user = "any";
}

void offer_tls(test::SmtpdRig& rig) {
  const auto& files = test::test_certificates().good;
  rig.options.starttls = io::TlsServer::create(files.cert, files.key).value();
}

// The client's end after STARTTLS and the handshake.
Task<io::StreamPtr> start_tls(test::SmtpdRig& rig, test::TestClient& client) {
  co_await client.send("STARTTLS\r\n");
  std::string go = co_await client.reply();
  CHECK(go == "220 2.0.0 Go ahead with TLS");
  io::TlsClientOptions trusting;
  trusting.name = "smtp.example";
  trusting.ca_file = test::test_certificates().ca_file;
  auto tls = io::TlsClient::create(trusting).value();
  auto secured = co_await tls->connect(client.take_stream(), rig.loop.within(1min));
  REQUIRE(secured.has_value());
  co_return std::move(*secured);
}

}  // namespace

TEST_CASE("smtpd: the relay offers neither AUTH nor STARTTLS") {
  test::SmtpdRig rig;
  std::string replies = rig.burst("EHLO a\r\n" + kPlain + "STARTTLS\r\n");
  CHECK(replies.ends_with(
      "250 DSN\r\n502 5.5.1 AUTH is not offered here\r\n502 5.5.1 STARTTLS is not offered here\r\n"));
}

TEST_CASE("smtpd: AUTH that needs TLS is not offered without, and refused with 538") {
  test::SmtpdRig rig;
  offer_auth(rig, true);
  std::string replies = rig.burst("EHLO a\r\n" + kPlain);
  CHECK(replies.find("AUTH ") == replies.npos);
  CHECK(replies.ends_with("538 5.7.11 Log in over TLS only: send STARTTLS first\r\n"));
}

TEST_CASE("smtpd: PLAIN with an initial response logs in, once, and Received says so") {
  test::SmtpdRig rig;
  offer_auth(rig, false);
  rig.options.auth->required = true;
  std::string replies = rig.burst("EHLO a\r\nMAIL FROM:<a@x.test>\r\n" + kPlain + kPlain + kOneMail);
  CHECK(replies.find(
            "250 AUTH PLAIN LOGIN CRAM-MD5\r\n530 5.7.0 Log in first\r\n235 2.7.0 Logged in\r\n503 5.5.1") !=
        replies.npos);
  REQUIRE(rig.sink.mails().size() == 1);
  CHECK(rig.sink.mails().front().content.find("with ESMTPA id") != std::string::npos);
}

TEST_CASE("smtpd: LOGIN and CRAM-MD5 ask their questions in Base64") {
  test::SmtpdRig rig;
  offer_auth(rig, false);
  std::string replies = rig.burst("AUTH LOGIN\r\ndGlt\r\nc2VjcmV0\r\n");
  CHECK(replies == "334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n235 2.7.0 Logged in\r\n");
  auto cram = [](test::SmtpdRig& r, test::TestClient client) -> Task<void> {
    std::string greeting = co_await client.reply();
    co_await client.send("AUTH CRAM-MD5\r\n");
    std::string challenge = co_await client.reply();
    std::string nonce = from_base64(challenge.substr(4)).value();
    CHECK(nonce.ends_with("@mx.test>"));
    co_await client.send(to_base64("tim " + io::hmac_md5("secret", nonce).value()) + "\r\n");
    std::string verdict = co_await client.reply();
    CHECK(verdict == "235 2.7.0 Logged in");
    co_await client.finish();
    co_await r.nursery.drained({});
  };
  rig.loop.run(cram(rig, rig.connect()));
}

TEST_CASE("smtpd: wrong, malformed, cancelled and unknown log-ins have their replies") {
  test::SmtpdRig rig;
  offer_auth(rig, false);
  std::string replies =
      rig.burst("AUTH PLAIN " + to_base64(std::string("\0tim\0wrong", 10)) + "\r\nAUTH PLAIN !\r\n" +
                "AUTH PLAIN =\r\nAUTH LOGIN\r\n*\r\nAUTH LOGIN\r\n?\r\nAUTH GSSAPI\r\n" +
                "MAIL FROM:<a@x.test>\r\n" + kPlain);
  CHECK(replies ==
        "535 5.7.8 Wrong user or password\r\n501 5.5.2 Not a response of this mechanism in Base64\r\n"
        "501 5.5.2 Not a response of this mechanism in Base64\r\n334 VXNlcm5hbWU6\r\n501 5.7.0 Log-in "
        "cancelled\r\n"
        "334 VXNlcm5hbWU6\r\n501 5.5.2 Not a response of this mechanism in Base64\r\n"
        "504 5.5.4 This mechanism is not offered\r\n250 2.1.0 Sender ok\r\n503 5.5.1 No AUTH inside a "
        "transaction\r\n");
}

TEST_CASE("smtpd: where any log-in is taken, all are right, and nothing that came is kept") {
  test::SmtpdRig rig;
  offer_any_login(rig);
  const std::string foreign = to_base64(std::string("other\0tim\0wrong", 15));
  for (const std::string& login :
       {"AUTH PLAIN " + foreign + "\r\n", kPlain, "AUTH PLAIN\r\n" + foreign + "\r\n",
        std::string("AUTH LOGIN\r\neA==\r\neQ==\r\n"), std::string("AUTH LOGIN eA==\r\n\r\n"),
        std::string("AUTH PLAIN AAA=\r\n")}) {
    CAPTURE(login);
    CHECK(rig.burst("EHLO a\r\n" + login + kOneMail).find("235 2.7.0 Logged in\r\n250 2.1.0") !=
          std::string::npos);
  }
  CHECK(
      rig.burst("AUTH PLAIN !\r\nAUTH CRAM-MD5\r\n") ==
      "501 5.5.2 Not a response of this mechanism in Base64\r\n504 5.5.4 This mechanism is not offered\r\n");
  REQUIRE(rig.sink.mails().size() == 6);
  for (const auto& mail : rig.sink.mails()) {
    CHECK(mail.content.find("with ESMTPA id") != std::string::npos);
    CHECK(mail.content.find("tim") == std::string::npos);
  }
}

TEST_CASE("smtpd: any log-in is offered without TLS to this machine alone") {
  test::SmtpdRig rig;
  offer_any_login(rig);
  CHECK(rig.burst("EHLO a\r\n").ends_with("250 AUTH PLAIN LOGIN\r\n"));
  rig.wire.second_address = Endpoint::parse("192.0.2.7:4000");
  const std::string replies = rig.burst("EHLO a\r\n" + kPlain);
  CHECK(replies.find("AUTH") == replies.npos);
  CHECK(replies.ends_with("250 DSN\r\n538 5.7.11 Log in over TLS only: send STARTTLS first\r\n"));
}

TEST_CASE("smtpd: a response may be long but not endless") {
  test::SmtpdRig rig;
  offer_auth(rig, false);
  CHECK(rig.burst("AUTH PLAIN\r\n" + std::string(12000, 'A') + "\r\n").find("334 \r\n501 5.5.2") == 0);
  CHECK(rig.burst("AUTH PLAIN\r\n" + std::string(13000, 'A') + "\r\n").find("334 \r\n421 4.7.0") == 0);
}

TEST_CASE("smtpd: STARTTLS forgets what was said, and AUTH is offered behind it") {
  test::SmtpdRig rig;
  offer_tls(rig);
  offer_auth(rig, true);
  auto talk = [](test::SmtpdRig& r, test::TestClient plain) -> Task<void> {
    std::string greeting = co_await plain.reply();
    co_await plain.send("EHLO a\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\n");
    std::string keywords = co_await plain.reply();
    CHECK(keywords.ends_with("\n250 STARTTLS"));
    std::string sender = co_await plain.reply();
    std::string recipient = co_await plain.reply();
    io::StreamPtr secured = co_await start_tls(r, plain);
    test::TestClient client(r.loop, std::move(secured));
    co_await client.send("RCPT TO:<b@y.test>\r\nEHLO a\r\n");
    std::string refused = co_await client.reply();
    CHECK(refused == "503 5.5.1 Send MAIL first");
    keywords = co_await client.reply();
    CHECK(keywords.ends_with("\n250 AUTH PLAIN LOGIN CRAM-MD5"));
    co_await client.send("STARTTLS\r\n");
    refused = co_await client.reply();
    CHECK(refused == "503 5.5.1 TLS is active already");
    co_await client.send(kPlain + kOneMail + "QUIT\r\n");
    std::string rest = co_await client.rest();
    CHECK(rest.ends_with("221 2.0.0 Bye\r\n"));
    co_await r.nursery.drained({});
  };
  rig.loop.run(talk(rig, rig.connect()));
  REQUIRE(rig.sink.mails().size() == 1);
  CHECK(rig.sink.mails().front().content.find("with ESMTPSA id") != std::string::npos);
}

TEST_CASE("smtpd: bytes behind STARTTLS end the session with one reply (CVE-2011-0411)") {
  test::SmtpdRig rig;
  offer_tls(rig);
  CHECK(rig.burst("STARTTLS\r\nMAIL FROM:<inj@x.test>\r\n") ==
        "421 4.7.0 Nothing may follow STARTTLS before the TLS handshake\r\n");
  CHECK(rig.burst("STARTTLS\r\nMA").starts_with("421 "));
}

TEST_CASE("smtpd: a handshake that fails ends the session without a word in clear") {
  test::SmtpdRig rig;
  offer_tls(rig);
  auto talk = [](test::SmtpdRig& r, test::TestClient client) -> Task<void> {
    std::string greeting = co_await client.reply();
    co_await client.send("STARTTLS\r\n");
    std::string go = co_await client.reply();
    co_await client.send("MAIL FROM:<inj@x.test>\r\nRCPT TO:<b@y.test>\r\n");
    std::string rest = co_await client.rest();
    CHECK(rest.find("250") == rest.npos);
    co_await r.nursery.drained({});
    CHECK(r.observer.saw("odd tls-failed"));
  };
  rig.loop.run(talk(rig, rig.connect()));
}
