// SPDX-License-Identifier: MIT
// One connection, several mails, and its end.
#include "smtpc/client.h"

#include "daemon/base/text.h"
#include "doctest/doctest.h"
#include "tests/unit/smtpc/client_rig.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;
using namespace hikyaku::test;

namespace {

const std::string kAccepted =
    "C: MAIL FROM:<a@client.example>\nS: 250 ok\nC: RCPT TO:<b@x.example>\nS: 250 ok\nC: DATA\nS: 354 "
    "x\nD:\nS: 250 ok\n";
const std::string kNobody =
    "C: MAIL FROM:<a@client.example>\nS: 250 ok\nC: RCPT TO:<b@x.example>\nS: 450 busy\n";
const std::string kQuitting = "C: QUIT\nS: 221 bye\nCLOSE";

Task<bool> deliver(Client& client) {
  auto mail = mail_to({"b@x.example"});
  MemoryContent content({kContent});
  auto result = co_await client.send({mail, {0}, content, true}, {});
  co_return result.final_reply.has_value();
}

}  // namespace

TEST_CASE("smtpc: a connection takes one mail after the other") {
  ClientRig rig;
  rig.run(hello({"8BITMIME"}) + kAccepted + kAccepted + kQuitting, [](Client& client) -> Task<void> {
    auto opened = co_await client.open();
    CHECK(opened);
    for (int i = 0; i < 2; ++i) {
      auto alive = co_await client.is_alive();
      CHECK(alive);
      auto delivered = co_await deliver(client);
      CHECK(delivered);
    }
    co_await client.quit();
  });
  CHECK(rig.problem == "");
  CHECK(rig.contents.size() == 2);
}

TEST_CASE("smtpc: RSET goes out only where a transaction was left open") {
  ClientRig rig;
  rig.run(hello({"8BITMIME"}) + kNobody + "C: RSET\nS: 250 ok\n" + kAccepted + kAccepted + kQuitting,
          [](Client& client) -> Task<void> {
            auto opened = co_await client.open();
            CHECK(opened);
            auto first = co_await deliver(client);
            CHECK_FALSE(first);
            CHECK(client.is_usable());
            for (int i = 0; i < 2; ++i) {
              auto delivered = co_await deliver(client);
              CHECK(delivered);
            }
            co_await client.quit();
          });
  CHECK(rig.problem == "");
}

TEST_CASE("smtpc: RSET refused says nothing about the next mail") {
  ClientRig rig;
  rig.run(hello({"8BITMIME"}) + kNobody + "C: RSET\nS: 550 odd\n", [](Client& client) -> Task<void> {
    auto opened = co_await client.open();
    CHECK(opened);
    [[maybe_unused]] auto first = co_await deliver(client);
    auto mail = mail_to({"b@x.example"});
    MemoryContent content({kContent});
    auto result = co_await client.send({mail, {0}, content, true}, {});
    REQUIRE(result.rest);
    CHECK(result.rest->verdict.action == Action::abort_attempt);
    CHECK_FALSE(client.is_usable());
  });
  CHECK(rig.problem == "");
}

TEST_CASE("smtpc: a connection that the peer has ended while it was idle is seen to be so") {
  for (const char* end : {"CLOSE", "S: 421 idle too long\nCLOSE", "S: 250 odd\n"}) {
    INFO(std::string(end));
    ClientRig rig;
    rig.run(hello({}) + "SLEEP 1\n" + end, [&](Client& client) -> Task<void> {
      auto opened = co_await client.open();
      CHECK(opened);
      auto before = co_await client.is_alive();
      CHECK(before);
      [[maybe_unused]] auto slept = co_await sleep_until(rig.loop, rig.loop.within(2s));
      auto after = co_await client.is_alive();
      CHECK_FALSE(after);
    });
    CHECK(rig.problem == "");
  }
}

TEST_CASE("smtpc: quit waits only a moment for a peer that says nothing") {
  ClientRig rig;
  rig.run(hello({}) + "C: QUIT\nSLEEP 100", [&](Client& client) -> Task<void> {
    auto opened = co_await client.open();
    CHECK(opened);
    Instant begin = rig.clock.now();
    co_await client.quit();
    CHECK(rig.clock.now() - begin <= 10s);
    CHECK_FALSE(client.is_usable());
    co_await client.quit();  // again is nothing
  });
  CHECK(rig.problem == "");
}

TEST_CASE("smtpc: a cancellation ends a transaction wherever it is") {
  for (const char* stage : {"", "S: 250 ok\nC: RCPT TO:<b@x.example>\n",
                            "S: 250 ok\nC: RCPT TO:<b@x.example>\nS: 250 ok\nC: DATA\n"}) {
    ClientRig rig;
    io::Cancel cancel;
    rig.cancel = &cancel;
    rig.run(cat(hello({}), "C: MAIL FROM:<a@client.example>\n", stage, "SLEEP 400"),
            [&](Client& client) -> Task<void> {
              io::Nursery nursery(rig.loop);
              auto later = [](io::Loop& loop, io::Cancel& what) -> Task<void> {
                [[maybe_unused]] auto slept = co_await sleep_until(loop, loop.within(7s));
                what.request();
              };
              nursery.spawn(later(rig.loop, cancel));
              auto opened = co_await client.open();
              CHECK(opened);
              auto mail = mail_to({"b@x.example"});
              MemoryContent content({kContent});
              auto result = co_await client.send({mail, {0}, content, true}, {});
              REQUIRE(result.rest);
              CHECK(result.rest->failure.io == IoErrorKind::cancelled);
              [[maybe_unused]] auto drained = co_await nursery.drained({});
            });
  }
}
