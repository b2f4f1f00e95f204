// SPDX-License-Identifier: MIT
// What people and scripts get to read, whoever has written it.
#include "daemon/checkup/probe_report.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "daemon/base/json_value.h"
#include "tests/unit/checkup/probe_rig.h"

using namespace hikyaku;
using namespace hikyaku::checkup;
using namespace hikyaku::test;
using dns::RecordType;
using mail::FailureKind;
using mail::Stage;

namespace {

bool has_words(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

bool is_clean(const std::string& text) {
  return std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= ' ' && c != '\x7f'); });
}

mail::Failure trouble_at(std::uint16_t port, Stage stage, FailureKind kind, const char* reply = nullptr) {
  mail::Failure trouble;
  trouble.kind = kind;
  trouble.stage = stage;
  trouble.host = "smtp.example";
  trouble.port = port;
  if (reply != nullptr) trouble.reply = mail::parse_reply(reply);
  return trouble;
}

}  // namespace

TEST_CASE("probe: a hostile server and a hostile DNS are shown escaped, in text and in JSON") {
  ProbeRig rig;
  rig.ports.use(test_certificates().hostile);
  rig.records.set("_submissions._tcp.example", RecordType::srv,
                  {.status = dns::Status::found,
                   .services = {{0, 0, 465, "smtp.example"}, {0, 0, 465, "\x1b[2J.example"}}});
  rig.records.mx("example", {{0, "\x1b]0;owned\x07"}});
  rig.ports.play("smtp.example:465",
                 {implicit_script("220 \x1b[31mred\x07", {"x\x1b", "AUTH PLAIN \x1b[1m\x9b"})});
  auto result = rig.probe("me@example");
  const std::string text = to_text(result, rig.clock.wall());
  CHECK(is_clean(text));
  CHECK(has_words(text, "greets as \\x1b[31mred\\x07\n"));
  CHECK(has_words(text, "  MX                     \\x1b]0;owned\\x07\n"));
  const std::string json = to_json_object(result).text();
  CHECK(is_clean(json));
  CHECK(parse_json(json));
}

TEST_CASE("probe: the JSON object has all that was found") {
  ProbeRig rig;
  rig.ports.play("smtp.example:587",
                 {starttls_script("220 hello", {"smtp.example", "STARTTLS", "SIZE"},
                                  {"smtp.example", "AUTH PLAIN NTLM", "SIZE 1000", "DSN"})});
  rig.ports.fail("smtp.example:25", IoErrorKind::timeout);
  const std::string json = to_json_object(rig.probe("smtp.example")).text();
  REQUIRE(parse_json(json));
  CHECK(has_words(to_json_object(rig.probe("smtp.example:1")).text(), R"({"dns":null,"hosts":[)"));
  for (
      const char* part :
      {R"(,"troubles":[]},"hosts":[{"host":"smtp.example","origin":"given","preset":null,"ports":[{"port":465,"opening":"none")",
       R"("trouble":{"kind":"refused","stage":"connect","reply":null,"text":"nobody listens)",
       R"({"port":587,"opening":"starttls","address":"192.0.2.1:587","greeting":"hello","round_trip_us":)",
       R"("in_clear":{"mechanisms":[],"starttls":true,)", R"("size":0},"tls":{"version":"TLSv1.3",)",
       R"("verified":true,"verdict":"verified","certificate":{"names":["smtp.example",)",
       R"("in_tls":{"mechanisms":["PLAIN","NTLM"],)", R"("dsn":true,"size":1000},"trouble":null})",
       R"("recommended":{"host":"smtp.example","port":587,"tls":"starttls","mechanisms":["PLAIN"],"origin":"given")",
       R"("yaml":"smarthost: submission://smtp.example\u000a","openssl":"openssl s_client -connect smtp.example:587 )",
       R"("unconfirmed":null,"login":null})"}) {
    INFO(std::string(part));
    INFO(json);
    CHECK(has_words(json, part));
  }
}

TEST_CASE("probe: each trouble has its words, with what the peer said and what to do") {
  const struct {
    mail::Failure trouble;
    const char* words;
  } kCases[] = {
      {trouble_at(587, Stage::connect, FailureKind::refused),
       "nobody listens, or a firewall rejects the connection"},
      {trouble_at(25, Stage::connect, FailureKind::connect_timed_out),
       "no answer: your network probably blocks outbound port 25 (OP25B), as most access providers do; mail "
       "clients "
       "have ports 465 and 587"},
      {trouble_at(587, Stage::connect, FailureKind::connect_timed_out),
       "no answer: nothing is there, or a firewall drops what goes there"},
      {trouble_at(587, Stage::greeting, FailureKind::greeting_timed_out),
       "it took the connection and then said nothing, neither in clear nor to a TLS hello"},
      {trouble_at(465, Stage::tls, FailureKind::timed_out),
       "it took the connection and does not answer a TLS hello"},
      {trouble_at(25, Stage::greeting, FailureKind::smarthost_refuses,
                  "554 5.7.1 blocked, see https://x.example"),
       "it takes no mail from here now (greeting) (554 5.7.1 blocked, see https://x.example); try again "
       "later"},
      {trouble_at(465, Stage::auth, FailureKind::auth_rejected, "535 5.7.8 no"),
       "it refused the user name or the password (535 5.7.8 no); check both: many providers want the whole "
       "mail "
       "address as the user name, and some a password made for programs instead of the account's own"},
  };
  for (const auto& row : kCases) CHECK(explain(row.trouble) == row.words);
  CHECK(has_words(explain(trouble_at(587, Stage::tls, FailureKind::tls_weak_key)), "too short to be safe"));
}

TEST_CASE("probe: what is to be pasted into a shell is quoted where it has to be") {
  ProbeRig rig;
  rig.ports.play("smtp.example:465", {implicit_script("220 x", {"smtp.example", "AUTH PLAIN"})});
  auto result = rig.probe("smtp.example:465");
  auto text_for = [&](const char* user) {
    result.target.user = user;
    return to_text(result, rig.clock.wall());
  };
  CHECK(has_words(text_for(""), "hikyaku authinfo add smtp.example --user USER\n"));
  CHECK(has_words(text_for("me+x@example.com"), "--user me+x@example.com\n"));
  CHECK(has_words(text_for("o'neil; rm -r /"), "--user 'o'\\''neil; rm -r /'\n"));
  CHECK(has_words(text_for("$(x)"), "--user '$(x)'\n"));
}
