// SPDX-License-Identifier: MIT
// What leaves between 354 and the final dot, and when.
#include "smtpc/content.h"

#include "daemon/base/text.h"
#include "doctest/doctest.h"
#include "tests/unit/smtpc/client_rig.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;
using namespace hikyaku::test;
using mail::FailureKind;

namespace {

const std::string kEnvelope =
    hello({"8BITMIME"}) +
    "C: MAIL FROM:<a@client.example>\nS: 250 ok\nC: RCPT TO:<b@x.example>\nS: 250 ok\n"
    "C: DATA\nS: 354 x\n";
const std::string kDelivered = "D:\nS: 250 ok\nC: QUIT\nS: 221 bye\nCLOSE";

mail::QueuedMail mail_to_b() {
  auto mail = mail_to({"b@x.example"});
  mail.envelope.body = mail::Body::seven_bit;  // not looked at beforehand
  return mail;
}

}  // namespace

TEST_CASE("smtpc: dots are stuffed and every line ends with CR LF, however the content comes in pieces") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> kCases = {
      {{""}, ".\r\n"},
      {{".\r\n"}, "..\r\n.\r\n"},
      {{"a\r\n.", "\r\n..\r\n.b\r\n"}, "a\r\n..\r\n...\r\n..b\r\n.\r\n"},
      {{"a\r", "\n.\r\n"}, "a\r\n..\r\n.\r\n"},
      {{"no end"}, "no end\r\n.\r\n"},
      {{"a\n.\nRCPT TO:<e@x>\n"}, "a\r\n..\r\nRCPT TO:<e@x>\r\n.\r\n"},
      {{"a\r.\r\r\n"}, "a\r\n..\r\n\r\n.\r\n"},
  };
  for (const auto& [pieces, wire] : kCases) {
    INFO(printable(wire));
    ClientRig rig;
    auto result = rig.send(kEnvelope + kDelivered, mail_to_b(), pieces);
    CHECK(result.final_reply);
    CHECK(rig.contents == std::vector<std::string>{wire});
  }
}

TEST_CASE("smtpc: a large body is streamed through a narrow connection, unchanged") {
  std::string line = std::string(76, 'x') + "\r\n";
  std::vector<std::string> pieces(100);
  for (std::string& piece : pieces)
    for (int i = 0; i < 500; ++i) piece += line;
  ClientRig rig;
  rig.pair.capacity = 10'000;
  auto result = rig.send(kEnvelope + kDelivered, mail_to_b(), pieces);
  CHECK(result.final_reply);
  std::string whole;
  for (const std::string& piece : pieces) whole += piece;
  REQUIRE(rig.contents.size() == 1);
  CHECK((rig.contents[0] == whole + ".\r\n"));
}

TEST_CASE("smtpc: the final dot waits for the hook, and what is before it is all there is") {
  ClientRig rig;
  Instant asked{}, agreed{};
  rig.before_final_dot = [&]() -> Task<bool> {
    asked = rig.clock.now();
    [[maybe_unused]] auto slept = co_await sleep_until(rig.loop, rig.loop.within(42s));
    agreed = rig.clock.now();
    co_return true;
  };
  auto result = rig.send(kEnvelope + kDelivered, mail_to_b());
  CHECK(result.final_reply);
  CHECK(agreed - asked == 42s);
}

TEST_CASE("smtpc: a hook that says no breaks off before the final dot") {
  ClientRig rig;
  rig.before_final_dot = []() -> Task<bool> { co_return false; };
  auto result = rig.send(kEnvelope + "D:", mail_to_b(), {std::string(200'000, 'x')});
  REQUIRE(result.rest);
  CHECK(result.rest->failure.kind == FailureKind::other);
  CHECK(rig.problem.starts_with("content broke off"));
  CHECK_FALSE(rig.contents.at(0).ends_with("\r\n.\r\n"));
}

TEST_CASE("smtpc: a damaged source breaks off before the final dot") {
  for (auto [damage, kind] : {std::pair{mail::SourceErrorKind::damaged, FailureKind::source_damaged},
                              std::pair{mail::SourceErrorKind::read_failed, FailureKind::other}}) {
    ClientRig rig;
    auto mail = mail_to_b();
    MemoryContent content({std::string(200'000, 'x')});
    content.damage = damage;
    TransactionResult result;
    rig.run(kEnvelope + "D:", [&](Client& client) -> Task<void> {
      auto opened = co_await client.open();
      CHECK(opened);
      result = co_await client.send({mail, {0}, content, true}, {});
      CHECK_FALSE(client.is_usable());
    });
    REQUIRE(result.rest);
    CHECK(result.rest->failure.kind == kind);
    CHECK(result.recipients.empty());
    CHECK(rig.problem.starts_with("content broke off"));
  }
}

// The dot waits for the hook, and then for the mail whose commands travel with it.
TEST_CASE("smtpc: a mail that becomes another node's while its dot waits breaks off before that") {
  const std::string pipelined = cat(hello({"PIPELINING"}),
                                    "C* MAIL FROM:<a@client.example>\nC: RCPT TO:<b@x.example>\nC: DATA\n"
                                    "S: 250 ok\nS: 250 ok\nS: 354 x\nD:");
  for (bool is_lost_late : {false, true}) {
    for (bool is_rewritten : {false, true}) {
      CAPTURE(is_lost_late);
      CAPTURE(is_rewritten);
      ClientRig rig;
      rig.smarthost.rewrite.is_received_private = is_rewritten;
      auto mail = mail_to_b();
      MemoryContent content({"Received: from a by b\r\n\r\n", std::string(200'000, 'x')});
      DotHooks hooks;
      hooks.may_leave = [&]() -> Task<bool> {
        content.is_ours = is_lost_late;
        co_return true;
      };
      hooks.following = [&]() -> Task<std::optional<Consignment>> {
        content.is_ours = false;
        co_return std::nullopt;
      };
      TransactionResult result;
      rig.run(pipelined, [&](Client& client) -> Task<void> {
        auto opened = co_await client.open();
        CHECK(opened);
        result = co_await client.send({mail, {0}, content, true}, hooks);
        CHECK_FALSE(client.is_usable());
      });
      REQUIRE(result.rest);
      CHECK(result.rest->failure.kind == FailureKind::other);
      CHECK(result.rest->failure.detail.find("another node's") != std::string::npos);
      CHECK(rig.problem.starts_with("content broke off"));
    }
  }
}

TEST_CASE("smtpc: a peer that takes nothing for ten minutes loses the mail's turn") {
  ClientRig rig;
  rig.pair.capacity = 1000;
  auto result = rig.send(kEnvelope + "SLEEP 700", mail_to_b(), {std::string(200'000, 'x')});
  REQUIRE(result.rest);
  CHECK(result.rest->failure.kind == FailureKind::timed_out);
}

TEST_CASE("smtpc: 8-bit bytes are looked for in the first MiB; what is larger counts as 8-bit") {
  ManualClock clock;
  io::Loop loop(clock);
  auto found = [&](std::vector<std::string> pieces) {
    MemoryContent content(std::move(pieces));
    auto result = loop.run(has_eight_bit(content));
    REQUIRE(result);
    CHECK(content.rewinds == 1);
    return *result;
  };
  CHECK_FALSE(found({}));
  CHECK_FALSE(found({"plain", "ascii\x7f"}));
  CHECK(found({"plain", "\x80"}));
  CHECK_FALSE(found({std::string(1 << 20, 'x')}));
  CHECK(found({std::string(1 << 20, 'x'), "x"}));
}
