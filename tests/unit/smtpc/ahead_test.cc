// SPDX-License-Identifier: MIT
// MAIL, RCPT and DATA of the next mail travel with the final dot of the one before (RFC 2920 3.1). The
// scripts expect them before they answer the dot.
#include "daemon/base/text.h"
#include "doctest/doctest.h"
#include "tests/unit/smtpc/client_rig.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;
using namespace hikyaku::test;
using mail::FailureKind;

namespace {

constexpr const char* kFrom = "C* MAIL FROM:<a@client.example>\n";
constexpr const char* kRestOfFirst = "C: RCPT TO:<b@x.example>\nC: DATA\n";
constexpr const char* kRestOfSecond = "C: RCPT TO:<c@x.example>\nC: DATA\n";
constexpr const char* kReady = "S: 250 sender\nS: 250 recipient\nS: 354 go on\n";
constexpr const char* kBye = "C: QUIT\nS: 221 bye\nCLOSE";

const std::string kPipelining = hello({"PIPELINING", "SIZE 1000"});
// The first mail's content, and the second's commands behind its dot.
const std::string kBoth = cat(kPipelining, kFrom, kRestOfFirst, kReady, "D:\n", kFrom, kRestOfSecond);

// Two mails of which the second is at hand when the first one's dot leaves.
struct Two {
  ClientRig rig;
  mail::QueuedMail second = mail_to({"c@x.example"});
  std::vector<TransactionResult> results;
  int asked = 0;            // for the second
  bool third_time = false;  // the second is sent again

  void play(const std::string& script) {
    rig.run(script, [this](Client& client) -> Task<void> {
      auto opened = co_await client.open();
      CHECK(opened);
      mail::QueuedMail first = mail_to({"b@x.example"});
      MemoryContent contents[] = {MemoryContent({kContent}), MemoryContent({kContent})};
      DotHooks hooks;
      hooks.following = [&]() -> Task<std::optional<Consignment>> {
        ++asked;
        co_return Consignment{second, {0}, contents[1], true};
      };
      results.push_back(co_await client.send({first, {0}, contents[0], true}, hooks));
      if (!client.is_usable()) co_return;
      for (int times = third_time ? 2 : 1; times > 0; --times)
        results.push_back(co_await client.send({second, {0}, contents[1], true}, {}));
      if (client.is_usable()) co_await client.quit();
    });
  }
};

bool is_accepted(const TransactionResult& result) { return result.final_reply.has_value(); }

}  // namespace

TEST_CASE("smtpc: the next mail's commands travel with the final dot") {
  Two two;
  two.play(cat(kBoth, "S: 250 first\n", kReady, "D:\nS: 250 second\n", kBye));
  CHECK(two.rig.problem == "");
  CHECK(two.asked == 1);
  REQUIRE(two.results.size() == 2);
  CHECK(mail::to_text(*two.results[0].final_reply) == "250 first");
  CHECK(mail::to_text(*two.results[1].final_reply) == "250 second");
  CHECK(two.rig.contents.size() == 2);
}

TEST_CASE("smtpc: a mail whose dot is refused does not take the next one along") {
  Two two;
  two.play(cat(kBoth, "S: 554 5.7.1 looks like spam\n", kReady, "D:\nS: 250 second\n", kBye));
  CHECK(two.rig.problem == "");
  REQUIRE(two.results.size() == 2);
  REQUIRE(two.results[0].rest);
  CHECK(two.results[0].rest->verdict.action == Action::fail_message);
  CHECK(is_accepted(two.results[1]));
}

TEST_CASE("smtpc: 421 to the dot ends the connection, and the next mail was not tried") {
  Two two;
  two.play(cat(kBoth, "S: 421 closing\nCLOSE"));
  REQUIRE(two.results.size() == 1);
  CHECK(two.results[0].rest->failure.reply->code == 421);
  CHECK_FALSE(two.rig.knowledge.plain_dialogue);
}

TEST_CASE(
    "smtpc: a hang-up after the reply to the dot is no attempt of the next mail; twice is once too often") {
  PeerKnowledge knowledge;
  for (unsigned times : {1U, 2U}) {
    Two two;
    two.rig.knowledge = knowledge;
    two.play(cat(kBoth, "S: 250 first\nCLOSE"));
    REQUIRE(two.results.size() == 2);
    CHECK(is_accepted(two.results[0]));
    CHECK(two.results[1].is_untried);
    knowledge = two.rig.knowledge;
    CHECK(knowledge.plain_dialogue == (times == 2));
  }
}

TEST_CASE("smtpc: a hang-up instead of the reply to a dot that had company; twice is once too often") {
  PeerKnowledge knowledge;
  for (unsigned times : {1U, 2U}) {
    Two two;
    two.rig.knowledge = knowledge;
    two.play(cat(kBoth, "CLOSE"));
    REQUIRE(two.results.size() == 1);
    CHECK(two.results[0].rest->failure.kind == FailureKind::reply_lost);
    knowledge = two.rig.knowledge;
    CHECK(knowledge.plain_dialogue == (times == 2));
  }
}

TEST_CASE("smtpc: a mail that comes through forgives the hang-ups before it") {
  Two two;
  two.rig.knowledge.hang_ups = 1;
  two.play(cat(kBoth, "S: 250 first\n", kReady, "D:\nS: 250 second\n", kBye));
  CHECK(two.rig.knowledge.hang_ups == 0);
}

TEST_CASE("smtpc: a peer that refuses what travelled along, on purpose, gets plain dialogue at once") {
  const std::string kModest = cat(
      kFrom, "S: 250 ok\nC: RCPT TO:<c@x.example>\nS: 250 ok\nC: DATA\nS: 354 go on\nD:\nS: 250 second\n");
  Two two;
  two.third_time = true;
  two.play(
      cat(kBoth, "S: 250 first\nS: 503 pipelined after DATA\nS: 503 again\nS: 503 again\n", kModest, kBye));
  CHECK(two.rig.problem == "");
  REQUIRE(two.results.size() == 3);
  CHECK(is_accepted(two.results[0]));
  CHECK(two.results[1].is_untried);
  CHECK(is_accepted(two.results[2]));
  CHECK(two.rig.knowledge.plain_dialogue);
}

TEST_CASE("smtpc: a 503 that asks for a log-in is not about what travelled along") {
  Two two;
  two.play(cat(kBoth, "S: 250 first\nS: 503 5.5.1 authentication required\nS: 503 no\nS: 503 no\n"));
  REQUIRE(two.results.size() == 2);
  CHECK_FALSE(two.results[1].is_untried);
  CHECK(two.results[1].rest->verdict.action == Action::pause_lane);
  CHECK_FALSE(two.rig.knowledge.plain_dialogue);
}

TEST_CASE("smtpc: a refused sender of the next mail is its own affair") {
  Two two;
  two.play(cat(kBoth, "S: 250 first\nS: 550 5.1.8 no such sender\nS: 503 no\nS: 503 no\n", kBye));
  CHECK(two.rig.problem == "");
  REQUIRE(two.results.size() == 2);
  CHECK(is_accepted(two.results[0]));
  REQUIRE(two.results[1].rest);
  CHECK(two.results[1].rest->failure.reply->code == 550);
  CHECK_FALSE(two.results[1].is_untried);
}

TEST_CASE("smtpc: 354 without an accepted recipient gets a lone dot, ahead too") {
  Two two;
  two.play(cat(kBoth, "S: 250 first\nS: 250 sender\nS: 450 busy\nS: 354 go on\nC: .\nS: 554 nobody\n", kBye));
  CHECK(two.rig.problem == "");
  REQUIRE(two.results.size() == 2);
  CHECK(two.results[1].recipients.size() == 1);
  CHECK_FALSE(is_accepted(two.results[1]));
}

TEST_CASE("smtpc: a next mail that cannot travel at all sends nothing ahead") {
  Two two;
  two.second.size = 5000;
  two.play(cat(kPipelining, kFrom, kRestOfFirst, kReady, "D:\nS: 250 first\n", kBye));
  CHECK(two.rig.problem == "");
  REQUIRE(two.results.size() == 2);
  CHECK(is_accepted(two.results[0]));
  CHECK(two.results[1].rest->failure.kind == FailureKind::too_large);
}

TEST_CASE("smtpc: a peer that loses what travelled along gets plain dialogue") {
  Two two;
  two.play(cat(kBoth, "S: 250 first\nSLEEP 1000"));
  REQUIRE(two.results.size() == 2);
  CHECK(is_accepted(two.results[0]));
  CHECK(two.results[1].rest->failure.kind == FailureKind::protocol_error);
  CHECK(two.rig.knowledge.plain_dialogue);
}

TEST_CASE("smtpc: a peer that objects to pipelined commands gets plain dialogue, and no mail bounces") {
  Two two;
  two.play(cat(kBoth, "S: 554 SMTP synchronization error\nCLOSE"));
  REQUIRE(two.results.size() == 1);
  CHECK(two.results[0].rest->failure.kind == FailureKind::protocol_error);
  CHECK(two.results[0].rest->verdict.action == Action::abort_attempt);
  CHECK(two.rig.knowledge.plain_dialogue);
}

TEST_CASE("smtpc: a reply that speaks of an address is none to the dot, however friendly") {
  for (const char* reply : {"S: 250 2.1.0 sender ok\n", "S: 250 2.1.5 recipient ok\n"}) {
    Two two;
    two.play(cat(kBoth, reply, kReady));
    REQUIRE(two.results.size() == 1);
    CHECK_FALSE(is_accepted(two.results[0]));
    CHECK(two.results[0].rest->failure.kind == FailureKind::protocol_error);
    CHECK(two.rig.knowledge.plain_dialogue);
  }
}

TEST_CASE("smtpc: without PIPELINING nobody is asked for a next mail") {
  Two two;
  two.play(cat(
      hello({"8BITMIME"}), kFrom, "S: 250 ok\nC: RCPT TO:<b@x.example>\nS: 250 ok\nC: DATA\nS: 354 go on\n",
      "D:\nS: 250 first\n", kFrom,
      "S: 250 ok\nC: RCPT TO:<c@x.example>\nS: 250 ok\nC: DATA\nS: 354 go on\nD:\nS: 250 second\n", kBye));
  CHECK(two.rig.problem == "");
  CHECK(two.asked == 0);
  CHECK(two.results.size() == 2);
}
