// SPDX-License-Identifier: MIT
// A round in which everything is tried once, and a peer that gets all mail instead of the smarthosts.
#include <doctest/doctest.h>

#include "tests/unit/relay/relay_rig.h"

using namespace hikyaku;
using namespace hikyaku::relay;
using namespace hikyaku::test;

namespace {

// The smarthost is proven, and says 450 to every recipient while `is_busy`.
struct EmptyingRig : RelayRig {
  bool is_busy = false;

  EmptyingRig() {
    settings.queue.retry.first = 1min;
    start_relay();
    send();
    pass();
    main().mails.clear();
    main().answer = [this](const std::string& command) {
      return is_busy && command.starts_with("RCPT") ? "450 4.2.0 later" : "";
    };
  }
  std::uint32_t attempts(mail::MailId id) {
    auto mail = loop.run(spool->load(id));
    return mail ? mail->progress.attempts : 0;
  }
  Emptying& emptying() { return relay->emptying(); }
  void hand_over() { REQUIRE(relay->hand_over(some_smarthost("peer"))); }
};

}  // namespace

TEST_CASE(
    "emptying: what waits is tried once in a round, however long that lasts, and is due again at its end") {
  EmptyingRig rig;
  rig.is_busy = true;
  const auto id = rig.send();
  rig.pass();
  CHECK(rig.attempts(id) == 1);
  rig.emptying().begin_round();
  CHECK_FALSE(rig.emptying().is_round_over());
  rig.pass();
  CHECK(rig.emptying().is_round_over());
  CHECK(rig.attempts(id) == 2);
  rig.pass(2h);
  CHECK(rig.attempts(id) == 2);
  CHECK(rig.relay->report().deferred == 1);
  rig.is_busy = false;
  rig.emptying().end_round();
  rig.pass();
  CHECK(rig.relay->queued() == 0);
  CHECK(rig.main().mails.size() == 1);
}

TEST_CASE("emptying: a round waits for a smarthost that is slow, and not for one that is down") {
  EmptyingRig rig;
  rig.main().latency = 30s;
  rig.send();
  rig.emptying().begin_round();
  rig.pass(40s);
  CHECK_FALSE(rig.emptying().is_round_over());
  rig.pass(10min);
  CHECK(rig.emptying().is_round_over());
  CHECK(rig.relay->queued() == 0);
  rig.emptying().end_round();
  rig.pass();
  rig.main().latency = 0s;
  rig.main().is_down = true;
  rig.send();
  rig.send();
  rig.emptying().begin_round();
  rig.pass(5s);
  CHECK(rig.emptying().is_round_over());
  CHECK(rig.relay->queued() == 2);
}

TEST_CASE("emptying: held mail is no part of a round") {
  EmptyingRig rig;
  rig.is_busy = true;
  const auto id = rig.send();
  rig.pass();
  rig.loop.run(rig.relay->steering().apply({id}, {.decision = Decision::hold, .by = "anna"}));
  rig.is_busy = false;
  rig.emptying().begin_round();
  rig.pass();
  CHECK(rig.emptying().is_round_over());
  CHECK(rig.relay->report().held == 1);
  CHECK(rig.main().mails.empty());
}

TEST_CASE(
    "relay: a peer gets all mail as it is, whatever its route, over a reload too, until it is taken back") {
  EmptyingRig rig;
  mail::Smarthost other = some_smarthost("other");
  rig.settings.smarthosts.push_back(other);
  rig.settings.routes = {{.to = {*mail::AddressPattern::parse("*@other.example")}, .via = {{"other"}}},
                         {.via = {{"main"}}}};
  rig.reload();
  rig.is_busy = true;
  rig.hosts["other"].is_down = true;
  rig.send({"a@example.net"});
  rig.send({"b@other.example", "c@example.net"});
  rig.pass();
  CHECK(rig.relay->queued() == 2);
  rig.hand_over();
  rig.pass();
  CHECK(rig.relay->queued() == 0);
  REQUIRE(rig.hosts["peer"].mails.size() == 2);
  CHECK(rig.hosts["peer"].mails[0].sender == "app@example.com");
  CHECK(rig.hosts["peer"].mails[0].recipients.size() + rig.hosts["peer"].mails[1].recipients.size() == 3);
  rig.reload();
  rig.send();
  rig.pass();
  CHECK(rig.hosts["peer"].mails.size() == 3);
  rig.is_busy = false;
  REQUIRE(rig.relay->hand_over(std::nullopt));
  rig.send();
  rig.pass();
  CHECK(rig.main().mails.size() == 1);
  CHECK(rig.hosts["peer"].mails.size() == 3);
}

TEST_CASE(
    "relay: a mail that a smarthost has when all is handed over ends there, and never reaches the peer") {
  EmptyingRig rig;
  rig.main().latency = 10s;
  rig.send();
  rig.pass(15s);
  REQUIRE(rig.relay->report().active == 1);
  rig.hand_over();
  rig.pass(1s);
  CHECK(rig.relay->queued() == 1);
  CHECK(rig.hosts["peer"].dials == 0);
  rig.pass(5min);
  CHECK(rig.relay->queued() == 0);
  CHECK(rig.main().mails.size() == 1);
  CHECK(rig.hosts["peer"].mails.empty());
}

TEST_CASE("relay: what was refused for now while all was handed over goes to the peer") {
  EmptyingRig rig;
  rig.main().latency = 10s;
  rig.is_busy = true;
  rig.send();
  rig.pass(15s);
  rig.hand_over();
  rig.pass(5min);
  CHECK(rig.relay->queued() == 0);
  CHECK(rig.main().mails.empty());
  CHECK(rig.hosts["peer"].mails.size() == 1);
}
