// SPDX-License-Identifier: MIT
// The steps of a check against a scripted server, and the words for each that fails.
#include "daemon/checkup/smarthost_check.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "daemon/base/text.h"
#include "tests/support/peers/test_certificates.h"
#include "tests/unit/checkup/check_rig.h"

using namespace hikyaku;
using namespace hikyaku::checkup;
using namespace hikyaku::test;
using mail::TlsMode;

namespace {

using Lines = std::vector<std::string>;

std::string whole(const Report& report) { return to_json_object(report).text() + verdict_text(report); }
bool says(const std::string& text, std::string_view words) { return text.find(words) != text.npos; }

}  // namespace

TEST_CASE("check: each step is a line, up to QUIT") {
  CheckRig rig;
  const Report report = rig.run({hello("SIZE 1000,AUTH PLAIN") + kLogin +
                                 "C: MAIL FROM:<root@app.example> SIZE=2000\nS: 250 ok\n"
                                 "C: RCPT TO:<a@b.example>\nS: 250 ok\nC: RSET\nS: 250 ok\n" +
                                 kBye});
  CHECK(lines(report) == Lines{"connection: to 192.0.2.1:587", "greeting: 220 mx.example ready",
                               "EHLO: mx.example offers AUTH PLAIN, SIZE 1000",
                               "log-in: as me@shop.example with PLAIN (/etc/hikyaku/authinfo:1)",
                               "addresses: mail from <root@app.example> to <a@b.example> is accepted",
                               "QUIT: the connection is closed"});
  CHECK_FALSE(report.failure);
  CHECK(rig.problems == Lines{});
  CHECK(rig.contents == Lines{});
  CHECK(rig.told.size() == report.steps.size());
  CHECK(rig.told[0] == "  ok       0.000s  connection  to 192.0.2.1:587\n");
  CHECK(verdict_text(report).ends_with("  mail can be sent through main\n"));
}

TEST_CASE("check: TLS is told with its version, and the certificate with names, chain and fingerprint") {
  const auto& good = test_certificates().good;
  for (TlsMode mode : {TlsMode::starttls, TlsMode::implicit}) {
    CheckRig rig;
    rig.use_tls(mode, good.cert, good.key);
    const std::string rest = kLogin + std::string(kAddresses) + kBye;
    const std::string again =
        hello("AUTH PLAIN").substr(std::string_view("S: 220 mx.example ready\n").size());
    const Report report = rig.run({mode == TlsMode::implicit
                                       ? "TLS\n" + hello("AUTH PLAIN") + rest
                                       : hello("STARTTLS") + "C: STARTTLS\nS: 220 go\nTLS\n" + again + rest});
    CHECK(rig.problems == Lines{});
    REQUIRE_FALSE(report.failure);
    const Step tls = step(report, "TLS");
    CHECK(tls.text.starts_with("TLSv1.3, TLS_"));
    CHECK(tls.text.ends_with("; the certificate is verified"));
    REQUIRE(tls.more.size() == 4);
    CHECK(tls.more[0] == "certificate for smtp.example, localhost, 127.0.0.1, ::1");
    CHECK(says(tls.more[1], "issued by CN=Test CA, valid from "));
    CHECK(tls.more[3] == cat("fingerprint ", good.fingerprint));
    REQUIRE(report.certificate);
    CHECK(says(whole(report), cat("\"fingerprint\":\"", good.fingerprint, "\"")));
  }
}

TEST_CASE("check: the first step that fails is the last, and is explained as in the log") {
  struct {
    std::string script;
    const char* step;
    const char* words;
  } const kCases[] = {
      {"S: 554 no service\n", "greeting", "takes no mail from here now"},
      {"", "greeting", "hung up before it said anything"},
      {hello(""), "log-in", "offers no way to log in, but /etc/hikyaku/authinfo:1 has credentials for it"},
      {hello("AUTH PLAIN") + "C* AUTH PLAIN\nS: 535 5.7.8 no\n", "log-in",
       "refused the user name or password of me@shop.example (/etc/hikyaku/authinfo:1): 535 5.7.8 no; "
       "correct it"},
      {hello("AUTH PLAIN") + kLogin +
           "C: MAIL FROM:<root@app.example>\nS: 553 5.7.1 not owned by user\nC: RSET\nS: 250 ok\n",
       "addresses", "does not take mail from <root@app.example> when me@shop.example is logged in"},
      {hello("AUTH PLAIN") + kLogin +
           "C: MAIL FROM:<root@app.example>\nS: 250 ok\nC: RCPT TO:<a@b.example>\n"
           "S: 553 5.7.1 <root@app.example>: Sender address rejected: not owned by user me\nC: RSET\nS: 250 "
           "ok\n",
       "addresses", "set `from` for it to the account's own address"},
      {hello("AUTH PLAIN") + kLogin +
           "C: MAIL FROM:<root@app.example>\nS: 250 ok\nC: RCPT TO:<a@b.example>\nS: 554 5.7.1 Relay access "
           "denied\n"
           "C: RSET\nS: 250 ok\n",
       "addresses", "does not relay for me@shop.example"},
  };
  for (const auto& row : kCases) {
    INFO(row.script);
    CheckRig rig;
    const Report report = rig.run({row.script + "CLOSE"});
    REQUIRE(report.failure);
    CHECK(report.steps.back().failed);
    CHECK(report.steps.back().name == row.step);
    CHECK_MESSAGE(says(report.steps.back().text, row.words), report.steps.back().text);
    CHECK(verdict_text(report).ends_with("  mail cannot be sent through main\n"));
    CHECK(says(whole(report), "\"usable\":false"));
  }
}

TEST_CASE("check: nobody who listens is a failed connection") {
  CheckRig rig;
  const Report report = rig.run({});
  REQUIRE(report.steps.size() == 1);
  CHECK(report.steps[0].name == "connection");
  CHECK(says(report.steps[0].text, "nobody listens on smtp.example:587"));
}

TEST_CASE("check: files that TLS needs and cannot read are told before anything is dialled") {
  CheckRig rig;
  rig.question.smarthost.tls.mode = TlsMode::implicit;
  rig.question.smarthost.tls.ca_file = "/nowhere/ca.pem";
  const Report report = rig.run({});
  REQUIRE(report.steps.size() == 1);
  CHECK(says(report.steps[0].text, "check `tls_ca_file` and `tls_client_cert`"));
  CHECK(says(report.steps[0].text, "/nowhere/ca.pem"));
}

TEST_CASE("check: a refused certificate is shown below what is wrong with it") {
  const auto& made = test_certificates();
  const std::pair<test::CertificateFiles, const char*> rows[] = {
      {made.expired, "has expired: it was valid until "},
      {made.self_signed, "is self-signed"},
      {made.wrong_name, "it is for other.example"},
      {made.unknown_issuer, "comes from an issuer that this machine does not know: \"CN=Other CA\""}};
  for (const auto& [files, words] : rows) {
    CheckRig rig;
    rig.use_tls(TlsMode::implicit, files.cert, files.key);
    const Report report = rig.run({"TLS\n"});
    REQUIRE(report.failure);
    const Step& last = report.steps.back();
    CHECK(last.name == "TLS");
    CHECK_MESSAGE(says(last.text, words), last.text);
    REQUIRE(last.more.size() >= 3);
    CHECK(last.more.front().starts_with("certificate for "));
    CHECK(last.more.back() == cat("fingerprint ", files.fingerprint));
    REQUIRE(report.certificate);
    CHECK(report.certificate->fingerprint == files.fingerprint);
  }
}

TEST_CASE("check: a password that is refused for good is tried once") {
  CheckRig rig;
  const Report report =
      rig.run({hello("AUTH PLAIN LOGIN") +
               "C* AUTH PLAIN\nS: 534 5.7.9 Application-specific password required\n" + "CLOSE"});
  CHECK(rig.problems == Lines{});
  CHECK(says(report.steps.back().text, "but an app password"));
}

TEST_CASE("check: where a lane dials again at once, so does a check, and says why") {
  CheckRig rig;
  const std::string first = hello("AUTH PLAIN LOGIN") + "C* AUTH PLAIN\nS: 535 5.7.8 no\nCLOSE";
  const std::string second = hello("AUTH PLAIN LOGIN") +
                             "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: bWVAc2hvcC5leGFtcGxl\n"
                             "S: 334 UGFzc3dvcmQ6\nC: c2VjcmV0\nS: 235 ok\n" +
                             kAddresses + kBye;
  const Report report = rig.run({first, second});
  CHECK(rig.problems == Lines{});
  REQUIRE_FALSE(report.failure);
  const Step refused = step(report, "log-in");
  CHECK(refused.failed);
  CHECK(refused.more == Lines{"another connection is tried, as the daemon would"});
  CHECK(std::ranges::count(lines(report),
                           "log-in: as me@shop.example with LOGIN (/etc/hikyaku/authinfo:1)") == 1);
}

TEST_CASE("check: the password shows nowhere, even where the server repeats it") {
  for (const char* reply :
       {"S: 535 5.7.8 wrong password secret\n", "S: 535 AG1lQHNob3AuZXhhbXBsZQBzZWNyZXQ=\n"}) {
    CheckRig rig;
    const Report report = rig.run({hello("AUTH PLAIN") + "C* AUTH PLAIN\n" + reply + "CLOSE"});
    REQUIRE(report.failure);
    for (const std::string& text : {whole(report), join(rig.told, "")}) {
      CHECK_FALSE(says(text, "secret"));
      CHECK_FALSE(says(text, "AG1lQHNob3AuZXhhbXBsZQBzZWNyZXQ"));
    }
  }
}

TEST_CASE("check: a recipient who is refused is no fault of the smarthost") {
  CheckRig rig;
  const Report report = rig.run({hello("AUTH PLAIN") + kLogin +
                                 "C: MAIL FROM:<root@app.example>\nS: 250 ok\nC: RCPT TO:<a@b.example>\n"
                                 "S: 550 5.1.1 no such user\nC: RSET\nS: 250 ok\n" +
                                 kBye});
  CHECK(rig.problems == Lines{});
  CHECK_FALSE(report.failure);
  CHECK(step(report, "addresses").text ==
        "mail from <root@app.example> is accepted, but this recipient is not");
  CHECK(says(verdict_text(report), "warning: tried with a mail to <a@b.example>: "));
  CHECK(says(verdict_text(report), "550 5.1.1 no such user"));
}

TEST_CASE("check: the sender is the one that the smarthost's `from` makes") {
  CheckRig rig;
  rig.question.smarthost.rewrite.envelope_from = "me@shop.example";
  const Report report =
      rig.run({hello("AUTH PLAIN") + kLogin +
               "C: MAIL FROM:<me@shop.example>\nS: 250 ok\nC: RCPT TO:<a@b.example>\nS: 250 ok\n"
               "C: RSET\nS: 250 ok\n" +
               kBye});
  CHECK(rig.problems == Lines{});
  CHECK(step(report, "addresses").text.starts_with("mail from <me@shop.example> to"));
}

TEST_CASE("check: a test mail goes over the same connection, by the smarthost's rules") {
  CheckRig rig;
  rig.question.sends = true;
  rig.question.smarthost.rewrite.header_from = "me@shop.example";
  const std::string mail =
      "C: MAIL FROM:<root@app.example>\nS: 250 ok\nC: RCPT TO:<a@b.example>\nS: 250 ok\n";
  Report report = rig.run({hello("AUTH PLAIN") + kLogin + kAddresses + mail +
                           "C: DATA\nS: 354 go\nD:\nS: 250 2.0.0 queued as 4711\n" + kBye});
  CHECK(rig.problems == Lines{});
  REQUIRE_FALSE(report.failure);
  CHECK(step(report, "test mail").text ==
        "\"Test mail from app.example\" is handed over for <a@b.example>: 250 2.0.0 queued as 4711");
  REQUIRE(rig.contents.size() == 1);
  CHECK(says(rig.contents[0], "From: me@shop.example\r\n"));
  CHECK(says(rig.contents[0], "\r\nSubject: Test mail from app.example\r\n"));
  report = rig.run({hello("AUTH PLAIN") + kLogin + kAddresses + mail +
                    "C: DATA\nS: 354 go\nD:\nS: 554 5.7.1 looks like spam\nCLOSE"});
  REQUIRE(report.failure);
  CHECK(report.steps.back().name == "test mail");
}

TEST_CASE("check: somebody at a terminal waits for no step longer than a minute") {
  CheckRig rig;
  const Instant begin = rig.clock.now();
  const Report report = rig.run({"S: 220 x\nC: EHLO app.example\nSLEEP 100"});
  REQUIRE(report.failure);
  CHECK(report.failure->kind == mail::FailureKind::timed_out);
  CHECK(report.steps.back().took == 1min);
  CHECK(rig.clock.now() - begin <= 101s);
}
