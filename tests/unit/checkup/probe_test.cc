// SPDX-License-Identifier: MIT
// Whole probes: of domains with records, and of doubles that say word for word what well-known providers say.
#include "daemon/checkup/probe.h"

#include <doctest/doctest.h>

#include "daemon/base/base64.h"
#include "daemon/base/text.h"
#include "daemon/checkup/probe_report.h"
#include "tests/unit/checkup/probe_rig.h"

using namespace hikyaku;
using namespace hikyaku::checkup;
using namespace hikyaku::test;
using dns::RecordType;
using mail::FailureKind;

namespace {

const std::string kImplicitHost =
    implicit_script("220 smtp.example ESMTP", {"smtp.example", "AUTH PLAIN LOGIN"});
const std::string kStarttlsHost = starttls_script("220 smtp.example ESMTP", {"smtp.example", "STARTTLS"},
                                                  {"smtp.example", "AUTH PLAIN LOGIN"});

// A side connection whose TLS hello is answered.
const std::string kHelloAnswered = "SLEEP 0\nR: \x16\x03\x03\\0\x7a\n";

mail::Credentials me(const char* password = "s3cret-word") {
  return {.authzid = {},
          .user = "me@example",
          .password = Secret(password),
          .realm = {},
          .mechanisms = {},
          .origin = {}};
}

dns::Answer services_at(std::vector<dns::SrvRecord> records) {
  return {.status = dns::Status::found, .services = std::move(records)};
}

// One log-in, to which the server says this.
std::string plain_login(const std::string& reply, const char* password = "s3cret-word") {
  const std::string response = to_base64(cat(std::string_view("\0me@example\0", 12), password));
  return cat("C: AUTH PLAIN ", response, "\n", reply, "\n");
}

ProbeResult log_in_with(const std::string& reply) {
  ProbeRig rig;
  const std::string rest = plain_login(reply) + kFarewellScript;
  rig.ports.play("smtp.example:465",
                 {kImplicitHost, implicit_script("220 x", {"smtp.example", "AUTH PLAIN LOGIN"}, rest)});
  return rig.probe("smtp.example:465", me());
}

std::string kind_of(const ProbeResult& result) {
  REQUIRE(result.login);
  return result.login->trouble ? std::string(mail::to_text(result.login->trouble->kind)) : "";
}

bool report_says(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

std::string text_of(ProbeRig& rig, const ProbeResult& result) { return to_text(result, rig.clock.wall()); }

}  // namespace

TEST_CASE("probe: all ports of a host are looked at at the same time") {
  ProbeRig rig;
  for (const char* at : {"smtp.example:465", "smtp.example:587", "smtp.example:25"})
    rig.ports.play(at, {"SLEEP 3600\n"});
  auto result = rig.probe("smtp.example");
  CHECK(rig.elapsed == rig.times.first_byte);
  REQUIRE(result.hosts.size() == 1);
  CHECK(result.hosts[0].ports.size() == 3);
  CHECK_FALSE(result.is_good());
}

TEST_CASE("probe: a host that offers all is recommended by its port with TLS from the first byte") {
  ProbeRig rig;
  rig.ports.play("smtp.example:465", {kImplicitHost});
  rig.ports.play("smtp.example:587", {kStarttlsHost});
  auto result = rig.probe("smtp.example");
  CHECK(result.is_good());
  CHECK(smarthost_yaml(*result.choice.recommended) == "smarthost: smtps://smtp.example\n");
  CHECK_FALSE(result.login);
  CHECK(rig.records.asked == 3);
  CHECK(text_of(rig, result).starts_with("smtp.example\n  465  "));
}

TEST_CASE("probe: a domain's SRV records lead to its host, and only the ports that they name are looked at") {
  ProbeRig rig;
  rig.records.set("_submissions._tcp.example", RecordType::srv, services_at({{0, 1, 4650, "smtp.example"}}));
  rig.ports.play("smtp.example:4650", {"SLEEP 3600\n", kHelloAnswered, kImplicitHost});
  auto result = rig.probe("me@example");
  REQUIRE(result.choice.recommended);
  CHECK(smarthost_yaml(*result.choice.recommended) == "smarthost: smtps://smtp.example:4650\n");
  CHECK(result.choice.recommended->origin == Origin::srv);
  CHECK(rig.ports.dials == std::vector<std::string>(3, "smtp.example:4650"));
  CHECK(report_says(text_of(rig, result), "smtp.example (named by a SRV record of example)\n"));
}

TEST_CASE("probe: a stranger that a SRV record names is looked at, not recommended, and gets no password") {
  ProbeRig rig;
  rig.records.set("_submission._tcp.shop.example", RecordType::srv,
                  services_at({{0, 1, 587, "smtp.example"}}));
  rig.ports.play("smtp.example:587", {kStarttlsHost});
  auto result = rig.probe("me@shop.example", me());
  CHECK_FALSE(result.is_good());
  CHECK_FALSE(result.login);
  REQUIRE(result.choice.unconfirmed);
  CHECK(result.choice.unconfirmed->host == "smtp.example");
  const std::string text = text_of(rig, result);
  CHECK(report_says(text,
                    "not recommended: smtp.example, port 587\n  Only a SRV record of shop.example names it"));
  CHECK(report_says(text, "run\n  hikyaku probe smtp.example\n"));
}

TEST_CASE("probe: where the records lead nowhere smtp.DOMAIN and mail.DOMAIN are tried") {
  ProbeRig rig;
  rig.records.set("_submissions._tcp.example", RecordType::srv, services_at({{0, 1, 465, "gone.example"}}));
  rig.ports.fail("mail.example:465", IoErrorKind::no_such_name);
  rig.ports.fail("mail.example:587", IoErrorKind::no_such_name);
  rig.ports.fail("mail.example:25", IoErrorKind::no_such_name);
  rig.ports.play("smtp.example:587", {kStarttlsHost});
  auto result = rig.probe("me@example");
  REQUIRE(result.choice.recommended);
  CHECK(result.choice.recommended->origin == Origin::guess);
  const std::string text = text_of(rig, result);
  CHECK(report_says(text, "gone.example (named by a SRV record of example)\n"));
  CHECK(report_says(
      text, "mail.example (guessed)\n  the name does not exist, or has no address (as the test has it)\n"));
}

TEST_CASE("probe: a domain that says that it offers no submission is taken at its word") {
  ProbeRig rig;
  rig.records.set("_submissions._tcp.example", RecordType::srv, services_at({{0, 0, 0, ""}}));
  rig.records.set("_submission._tcp.example", RecordType::srv, services_at({{0, 0, 0, ""}}));
  auto result = rig.probe("me@example");
  CHECK(rig.ports.dials.empty());
  CHECK(report_says(text_of(rig, result),
                    "nothing usable was found: example says in the DNS that it has no server for sending\n"));
}

TEST_CASE("probe: a DNS that does not answer is told, and the guesses are made all the same") {
  ProbeRig rig;
  rig.records.otherwise = dns::failed("no DNS server answered in time");
  rig.ports.play("smtp.example:465", {kImplicitHost});
  auto result = rig.probe("me@example");
  CHECK(result.is_good());
  CHECK(report_says(text_of(rig, result),
                    "  SRV _submissions._tcp  not known: no DNS server answered in time\n"));
}

TEST_CASE("probe: a log-in is one command, in TLS, at what is recommended") {
  auto result = log_in_with("S: 235 2.7.0 Accepted");
  CHECK(result.is_good());
  CHECK(kind_of(result) == "");
  CHECK(result.login->mechanism == "PLAIN");
  CHECK(result.login->user == "me@example");
}

TEST_CASE("probe: a log-in that is refused is not tried in another way, and says what to do") {
  struct {
    const char* reply;
    FailureKind kind;
    const char* words;
  } const kRefusals[] = {
      {"S: 535-5.7.8 Username and Password not accepted. Learn more at\n"
       "S: 535 5.7.8  https://support.google.com/mail/?p=BadCredentials - gsmtp",
       FailureKind::auth_rejected, "some a password made for programs"},
      {"S: 534-5.7.9 Application-specific password required. Learn more at\n"
       "S: 534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor - gsmtp",
       FailureKind::app_password_needed, "create one in the account's security settings"},
      {"S: 535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
       FailureKind::basic_auth_disabled, "have its administrator allow SMTP AUTH"},
      {"S: 535 Authentication Credentials Invalid", FailureKind::auth_rejected, "check both"},
      {"S: 535 Authentication failed (#5.7.1)", FailureKind::auth_rejected, "check both"},
      {"S: 454 4.7.0 Temporary authentication failure", FailureKind::auth_temporary, "try again later"},
  };
  for (const auto& row : kRefusals) {
    INFO(row.reply);
    auto result = log_in_with(row.reply);
    CHECK_FALSE(result.is_good());
    CHECK(kind_of(result) == mail::to_text(row.kind));
    CHECK(result.login->mechanism == "PLAIN");
    CHECK(report_says(explain(*result.login->trouble), row.words));
  }
}

TEST_CASE("probe: a server that repeats the password does not get it shown") {
  ProbeRig rig;
  auto result = log_in_with(cat("S: 535 5.7.8 s3cret-word is not it, nor is ",
                                to_base64(std::string_view("\0me@example\0s3cret-word", 23))));
  const std::string text = text_of(rig, result) + to_json_object(result).text();
  CHECK(report_says(text, "log-in: failed as me@example"));
  CHECK_FALSE(report_says(text, "s3cret-word"));
  CHECK_FALSE(report_says(text, to_base64(std::string_view("\0me@example\0s3cret-word", 23))));
}

TEST_CASE("probe: a password does not leave where nothing offers to take it under TLS") {
  ProbeRig rig;
  rig.ports.play("smtp.example:25", {clear_script("220 x", {"smtp.example"})});
  auto result = rig.probe("smtp.example:25", me());
  REQUIRE(result.choice.recommended);
  CHECK_FALSE(result.is_good());
  CHECK(kind_of(result) == "auth_not_offered");
  rig.ports.play("smtp.example:587", {clear_script("220 x", {"smtp.example", "AUTH PLAIN"})});
  auto clear = rig.probe("smtp.example:587", me());
  CHECK_FALSE(clear.choice.recommended);
  CHECK_FALSE(clear.login);
  for (const auto& peer : rig.ports.peers)
    for (const std::string& line : peer->heard()) CHECK_FALSE(line.starts_with("AUTH"));
}

TEST_CASE(
    "probe: a password does not leave where the certificate does not hold, be it from the second connection "
    "on") {
  ProbeRig rig;
  rig.ports.use(test_certificates().expired);
  rig.ports.play("smtp.example:465", {kImplicitHost});
  auto result = rig.probe("smtp.example:465", me());
  CHECK_FALSE(result.is_good());
  CHECK_FALSE(result.login);
  const std::string text = text_of(rig, result);
  CHECK(report_says(text, "cannot be used: the certificate of smtp.example:465 [192.0.2.1:465] has expired"));
  CHECK(report_says(text, "tls_fingerprint: \"" + test_certificates().expired.fingerprint + "\""));
}

// ---- doubles

TEST_CASE("probe: Gmail") {
  ProbeRig rig;
  const std::string greeting = "220 smtp.example ESMTP 5b1f17b1804b1-431b41a2bd3sm1234567e9.1 - gsmtp";
  const std::vector<std::string> plain{"smtp.example at your service, [192.0.2.9]",
                                       "SIZE 35882577",
                                       "8BITMIME",
                                       "STARTTLS",
                                       "ENHANCEDSTATUSCODES",
                                       "PIPELINING",
                                       "CHUNKING",
                                       "SMTPUTF8"};
  const std::vector<std::string> safe{"smtp.example at your service, [192.0.2.9]",
                                      "SIZE 35882577",
                                      "8BITMIME",
                                      "AUTH LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH",
                                      "ENHANCEDSTATUSCODES",
                                      "PIPELINING",
                                      "CHUNKING",
                                      "SMTPUTF8"};
  rig.ports.play("smtp.example:465", {implicit_script(greeting, safe)});
  rig.ports.play("smtp.example:587", {starttls_script(greeting, plain, safe)});
  rig.ports.fail("smtp.example:25", IoErrorKind::timeout);
  auto result = rig.probe("smtp.example");
  const std::string text = text_of(rig, result);
  CHECK(report_says(text, "  465  TLS from the first byte (TLSv1.3, "));
  CHECK(report_says(text,
                    "       greets as smtp.example ESMTP 5b1f17b1804b1-431b41a2bd3sm1234567e9.1 - gsmtp\n"));
  CHECK(report_says(
      text,
      "       offers in TLS to log in with LOGIN, PLAIN (unknown to hikyaku: XOAUTH2, PLAIN-CLIENTTOKEN, "
      "OAUTHBEARER, XOAUTH), PIPELINING, CHUNKING, 8BITMIME, SMTPUTF8, SIZE 35882577\n"));
  CHECK(report_says(text, "  587  SMTP in clear, which offers STARTTLS (TLSv1.3, "));
  CHECK(report_says(text, "       certificate as on port 465\n       offers in clear no log-in\n"));
  CHECK(report_says(text, "  25   no answer: your network probably blocks outbound port 25 (OP25B)"));
  CHECK(report_says(text, "recommended: smtp.example, port 465, TLS from the first byte\n"));
  CHECK(report_says(text, "in hikyaku.yaml\n  smarthost: smtps://smtp.example\n"));
  CHECK(report_says(text, "hikyaku authinfo add smtp.example --user USER\n"));
  CHECK(report_says(text, "openssl s_client -connect smtp.example:465 -servername smtp.example "));
}

TEST_CASE("probe: Microsoft 365") {
  ProbeRig rig;
  rig.ports.fail("smtp.example:465", IoErrorKind::timeout);
  rig.ports.play(
      "smtp.example:587",
      {starttls_script(
          "220 AM0PR01CA0001.outlook.office365.com Microsoft ESMTP MAIL Service ready at "
          "Sun, 29 Nov 2026 09:00:00 +0000",
          {"AM0PR01CA0001.outlook.office365.com Hello [192.0.2.9]", "SIZE 157286400", "PIPELINING", "DSN",
           "ENHANCEDSTATUSCODES", "STARTTLS", "8BITMIME", "BINARYMIME", "CHUNKING", "SMTPUTF8"},
          {"AM0PR01CA0001.outlook.office365.com Hello [192.0.2.9]", "SIZE 157286400", "PIPELINING", "DSN",
           "ENHANCEDSTATUSCODES", "AUTH LOGIN XOAUTH2", "8BITMIME", "BINARYMIME", "CHUNKING", "SMTPUTF8"})});
  auto result = rig.probe("smtp.example");
  REQUIRE(result.choice.recommended);
  CHECK(smarthost_yaml(*result.choice.recommended) == "smarthost: submission://smtp.example\n");
  CHECK(result.choice.recommended->mechanisms == std::vector<std::string>{"LOGIN"});
  CHECK(result.choice.recommended->max_size == 157286400);
  CHECK(report_says(text_of(rig, result),
                    "  465  no answer: nothing is there, or a firewall drops what goes there"));
}

TEST_CASE("probe: Yahoo! JAPAN, whose 587 would have the password in clear text") {
  ProbeRig rig;
  const std::vector<std::string> offer{"ybbsmtp.mail.yahoo.co.jp", "AUTH LOGIN PLAIN XYMCOOKIE", "PIPELINING",
                                       "8BITMIME"};
  rig.ports.play("smtp.example:465", {implicit_script("220 ybbsmtp.mail.yahoo.co.jp ESMTP", offer)});
  rig.ports.play("smtp.example:587", {clear_script("220 ybbsmtp.mail.yahoo.co.jp ESMTP", offer)});
  auto result = rig.probe("smtp.example");
  REQUIRE(result.choice.recommended);
  CHECK(smarthost_yaml(*result.choice.recommended) == "smarthost: smtps://smtp.example\n");
  const std::string text = text_of(rig, result);
  CHECK(report_says(text, "  587  SMTP in clear, without TLS"));
  CHECK(report_says(text, "offers in clear to log in with LOGIN, PLAIN (unknown to hikyaku: XYMCOOKIE)"));
  CHECK(report_says(
      text,
      "cannot be used: it offers to log in (LOGIN PLAIN XYMCOOKIE), but in clear text alone, where "
      "others can "
      "read along; if it takes mail from this machine without a log-in, configure `smarthost: "
      "smtp://smtp.example:587`\n"));
}

TEST_CASE("probe: Amazon SES, which offers its log-in before TLS too") {
  ProbeRig rig;
  const std::string greeting =
      "220 email-smtp.amazonaws.com ESMTP SimpleEmailService-d-A1B2C3D4E ab12CD34ef56";
  rig.ports.play("smtp.example:587",
                 {starttls_script(
                     greeting, {"email-smtp.amazonaws.com", "8BITMIME", "STARTTLS", "AUTH PLAIN LOGIN", "Ok"},
                     {"email-smtp.amazonaws.com", "8BITMIME", "STARTTLS", "AUTH PLAIN LOGIN", "Ok"})});
  auto result = rig.probe("smtp.example");
  REQUIRE(result.choice.recommended);
  CHECK(smarthost_yaml(*result.choice.recommended) == "smarthost: submission://smtp.example\n");
  CHECK(report_says(text_of(rig, result), "offers in clear to log in with PLAIN, LOGIN\n"));
}

TEST_CASE("probe: docomo, which has 465 alone and the older way to offer a log-in") {
  ProbeRig rig;
  rig.ports.play("smtp.example:465", {implicit_script("220 DOCOMO Mail Server",
                                                      {"smtp.spmode.ne.jp", "AUTH=LOGIN PLAIN",
                                                       "AUTH LOGIN PLAIN", "SIZE 15727616", "8BITMIME"})});
  rig.ports.fail("smtp.example:25", IoErrorKind::timeout);
  auto result = rig.probe("smtp.example");
  REQUIRE(result.choice.recommended);
  CHECK(result.choice.recommended->mechanisms == std::vector<std::string>{"PLAIN", "LOGIN"});
  CHECK(result.choice.recommended->max_size == 15727616);
  CHECK(report_says(text_of(rig, result), "  587  nobody listens, or a firewall rejects the connection"));
}
