// SPDX-License-Identifier: MIT
// MAIL and RCPT without a mail, and what is heard of a session while it is opened.
#include "smtpc/rehearsal.h"

#include "daemon/base/text.h"
#include "doctest/doctest.h"
#include "tests/support/peers/test_certificates.h"
#include "tests/unit/smtpc/client_rig.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;
using namespace hikyaku::test;
using mail::FailureKind;
using mail::Stage;

namespace {

// After a session with these keywords.
Result<void, Refusal> rehearse_in(ClientRig& rig, const std::string& script,
                                  const std::vector<std::string>& keywords = {}) {
  Result<void, Refusal> answer;
  rig.run(hello(keywords) + script, [&](Client& client) -> Task<void> {
    auto opened = co_await client.open();
    REQUIRE(opened);
    answer = co_await client.rehearse("root@client.example", "bob@shop.example");
    if (client.is_usable()) co_await client.quit();
  });
  return answer;
}

struct Heard final : OpeningObserver {
  void greeted(const mail::Reply& greeting) override { lines.push_back(cat("greeted ", to_text(greeting))); }
  void encrypted(const io::TlsInfo& tls) override { lines.push_back(cat("encrypted ", tls.verdict)); }
  void introduced(const mail::Capabilities& offered) override {
    lines.push_back(cat("introduced", offered.starttls ? " STARTTLS" : "", offered.size ? " SIZE" : ""));
  }
  std::vector<std::string> lines;
};

constexpr const char* kReset = "C: RSET\nS: 250 ok\nC: QUIT\nS: 221 bye\nCLOSE";

}  // namespace

TEST_CASE("rehearsal: MAIL and RCPT as a mail would have them, and nothing is left open") {
  ClientRig rig;
  rig.smarthost.rewrite.envelope_from = "me@shop.example";
  CHECK(rehearse_in(rig,
                    cat("C: MAIL FROM:<me@shop.example> SIZE=2000\nS: 250 ok\n",
                        "C: RCPT TO:<bob@shop.example>\nS: 250 ok\n", kReset),
                    {"SIZE 5000", "PIPELINING"}));
  CHECK(rig.problem == "");
}

TEST_CASE("rehearsal: a refused sender is not followed by a recipient") {
  ClientRig rig;
  auto answer =
      rehearse_in(rig, cat("C: MAIL FROM:<root@client.example>\nS: 553 5.7.1 not owned by you\n", kReset));
  REQUIRE_FALSE(answer);
  CHECK(rig.problem == "");
  CHECK(answer.error().failure.stage == Stage::mail);
  CHECK(mail::to_text(*answer.error().failure.reply) == "553 5.7.1 not owned by you");
  CHECK(answer.error().failure.sender == "root@client.example");
}

TEST_CASE("rehearsal: what is said of a recipient names them") {
  ClientRig rig;
  auto answer = rehearse_in(rig, cat("C: MAIL FROM:<root@client.example>\nS: 250 ok\n",
                                     "C: RCPT TO:<bob@shop.example>\nS: 550 5.1.1 unknown\n", kReset));
  REQUIRE_FALSE(answer);
  CHECK(rig.problem == "");
  CHECK(answer.error().failure.kind == FailureKind::recipient_refused);
  CHECK(answer.error().failure.stage == Stage::rcpt);
  CHECK(answer.error().failure.recipient == "bob@shop.example");
}

TEST_CASE("rehearsal: a connection that breaks is the smarthost's failure, and says no more") {
  for (const char* end : {"CLOSE", "S: 421 too busy\nCLOSE"}) {
    ClientRig rig;
    auto answer = rehearse_in(rig, cat("C: MAIL FROM:<root@client.example>\n", end));
    REQUIRE_FALSE(answer);
    CHECK(rig.problem == "");
    CHECK(answer.error().failure.stage == Stage::mail);
  }
}

TEST_CASE("opening: an observer hears each milestone in its order") {
  ClientRig rig;
  rig.set_tls(mail::TlsMode::starttls, test_certificates().good.cert, test_certificates().good.key);
  Heard heard;
  rig.observer = &heard;
  CHECK(rig.open(hello({"STARTTLS"}) +
                 "C: STARTTLS\nS: 220 go\nTLS\nC: EHLO client.example\nS: 250-mx.example\nS: 250 SIZE 5\n"));
  CHECK(heard.lines == std::vector<std::string>{"greeted 220 mx.example ready", "introduced STARTTLS",
                                                "encrypted verified", "introduced SIZE"});
}
