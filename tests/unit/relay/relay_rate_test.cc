// SPDX-License-Identifier: MIT
// The relay to a smarthost that takes so many messages a minute or a day. Days pass in milliseconds.
#include "daemon/system/files.h"
#include "tests/unit/relay/relay_rig.h"

using namespace hikyaku;
using namespace hikyaku::relay;
using namespace hikyaku::test;
using mail::RateOf;
using mail::RateUnit;

namespace {

struct RateRig : RelayRig {
  system::TemporaryDirectory directory{"hikyaku-rates-"};
  std::vector<Instant> sent;

  explicit RateRig(std::vector<mail::Rate> rates) {
    rates_file = directory.file("rates");
    settings.smarthosts[0].rates = std::move(rates);
    main().answer = [this](const std::string& command) {
      if (command == ".") sent.push_back(loop.now());
      return "";
    };
  }
  void queue(int mails) {
    for (int i = 0; i < mails; ++i) send();
  }
  void restart_relay() {
    stop_relay();
    start_relay();
  }
};

}  // namespace

TEST_CASE("relay: a rate by the minute spreads the mail over one connection that stays") {
  RateRig rig({{30, RateUnit::minute}});
  rig.start_relay();
  rig.queue(60);
  rig.pass(3min);
  REQUIRE(rig.sent.size() == 60);
  for (std::size_t i = 30; i < 60; ++i) CHECK(rig.sent[i] - rig.sent[i - 30] >= 1min);
  CHECK(rig.sent[59] - rig.sent[0] < 2min + 3s);
  CHECK(rig.main().dials == 1);
  CHECK(rig.main().most_open == 1);
  CHECK(rig.lines_with("status=deferred") == 0);
  CHECK(rig.queued().empty());
}

TEST_CASE("relay: what waits for the rate is not held up by a connection that stalls") {
  RateRig rig({{5, RateUnit::hour}});
  rig.settings.smarthosts[0].timeout.data = 3h;
  rig.start_relay();
  rig.queue(1);
  rig.pass();
  REQUIRE(rig.main().mails.size() == 1);  // proven: several connections are allowed from now on
  std::string to_dot;
  rig.main().answer = [&](const std::string& command) -> std::string {
    if (command.starts_with("RCPT TO:<later@") && to_dot.empty()) return "450 4.2.0 try later";
    return command == "." ? to_dot : "";
  };
  rig.send({"later@example.net"});
  rig.send({"later@example.net"});
  rig.pass(27s);
  rig.queue(1);
  rig.pass();
  CHECK(rig.main().open == 1);
  to_dot = "STALL";  // both become due at once, and the connection that is there takes the last of the hour
  rig.pass(30s);
  CHECK(rig.main().mails.size() == 3);
  to_dot = "250 2.0.0 Ok";
  rig.pass(1h);
  CHECK(rig.main().mails.size() == 4);
  CHECK(rig.main().open == 1);  // the one that stalls
}

TEST_CASE("relay: mail at long intervals keeps its connection while more waits") {
  RateRig rig({{4, RateUnit::minute}});
  rig.start_relay();
  rig.queue(8);
  rig.pass(10min);
  CHECK(rig.sent.size() == 8);
  CHECK(rig.main().dials == 1);
}

TEST_CASE("relay: a fast rate is used to the full, over as many connections as it takes") {
  RateRig rig({{100, RateUnit::second}});
  rig.start_relay();
  rig.queue(500);
  rig.pass(6s);
  REQUIRE(rig.sent.size() == 500);
  for (std::size_t i = 100; i < 500; ++i) CHECK(rig.sent[i] - rig.sent[i - 100] >= 1s);
  CHECK(rig.main().dials <= 4);
}

TEST_CASE(
    "relay: a day's quota goes at once, the rest when the day is over, and nothing is dialled between") {
  RateRig rig({{5, RateUnit::day}});
  rig.start_relay();
  rig.queue(8);
  rig.pass(1min);
  CHECK(rig.sent.size() == 5);
  CHECK(rig.relay->status().find("main: the rate 5/day is used up; mail waits until") != std::string::npos);
  CHECK(rig.lines_with("the rate 5/day is used up") == 1);
  const unsigned dials = rig.main().dials;
  rig.queue(1);
  rig.pass(23h);
  CHECK(rig.main().dials == dials);
  CHECK(rig.sent.size() == 5);
  rig.pass(1h + 1min);
  CHECK(rig.sent.size() == 9);
  CHECK(rig.main().dials <= dials + 4);
  CHECK(rig.relay->status() == "0 queued");
  CHECK(rig.lines_with("status=deferred") == 0);
}

TEST_CASE(
    "relay: of a rate of recipients a mail takes one for each, and waits until all of them may be sent to") {
  RateRig rig({{4, RateUnit::hour, RateOf::recipients}});
  rig.start_relay();
  rig.send({"a@example.net", "b@example.net"});
  rig.send({"c@example.net", "d@example.net", "e@example.net"});
  rig.send({"f@example.net"});
  rig.pass(1min);
  CHECK(rig.sent.size() == 1);
  CHECK(rig.relay->status().find("main: the rate 4 recipients/h is used up") != std::string::npos);
  rig.restart_relay();
  rig.pass(57min);
  CHECK(rig.sent.size() <= 2);  // where the one comes first after the restart, it has room
  rig.pass(2h);
  CHECK(rig.sent.size() == 3);
  CHECK(rig.lines_with("status=deferred") == 0);
  CHECK(rig.queued().empty());
}

TEST_CASE("relay: a mail that waits for room for its recipients costs nothing of the messages meanwhile") {
  RateRig rig({{2, RateUnit::day}, {4, RateUnit::hour, RateOf::recipients}});
  rig.start_relay();
  rig.send({"a@example.net", "b@example.net"});
  rig.send({"c@example.net", "d@example.net", "e@example.net"});
  rig.pass(59min);
  CHECK(rig.sent.size() == 1);
  rig.pass(2min);
  CHECK(rig.sent.size() == 2);
}

TEST_CASE("relay: a mail to more recipients than a rate allows goes whole, by itself") {
  RateRig rig({{2, RateUnit::hour, RateOf::recipients}});
  rig.start_relay();
  rig.send({"a@example.net"});
  rig.send({"b@example.net", "c@example.net", "d@example.net", "e@example.net"});
  rig.send({"f@example.net"});
  rig.pass(59min);
  CHECK(rig.sent.size() == 1);
  rig.pass(2min);
  CHECK(rig.sent.size() == 2);
  rig.pass(1h);
  CHECK(rig.sent.size() == 3);
  CHECK(rig.main().dials <= 4);
  CHECK(rig.lines_with("status=deferred") == 0);
}

TEST_CASE("relay: a day's quota outlives restarts") {
  RateRig rig({{5, RateUnit::day}});
  rig.start_relay();
  rig.queue(12);
  rig.pass(10h);
  for (int i = 0; i < 3; ++i) {
    rig.restart_relay();
    rig.pass(1h);
    CHECK(rig.sent.size() == 5);
  }
  rig.pass(10h + 58min);
  CHECK(rig.sent.size() == 5);
  rig.pass(4min);
  CHECK(rig.sent.size() == 10);
  rig.restart_relay();
  rig.pass(23h);
  CHECK(rig.sent.size() == 10);
  rig.pass(2h);
  CHECK(rig.sent.size() == 12);
}

TEST_CASE("relay: what was reserved for a crash is free again after an orderly stop") {
  RateRig rig({{300, RateUnit::day}});
  rig.start_relay();
  rig.queue(298);
  rig.pass(1min);
  CHECK(rig.sent.size() == 298);
  rig.restart_relay();
  rig.queue(3);
  rig.pass(1min);
  CHECK(rig.sent.size() == 300);
}

TEST_CASE("relay: a jump of the wall clock neither frees a quota nor keeps it") {
  RateRig rig({{5, RateUnit::day}});
  rig.start_relay();
  rig.queue(10);
  rig.pass(1h);
  rig.clock.set_wall(rig.clock.wall() + 300 * 24h);
  rig.pass(1h);
  CHECK(rig.sent.size() == 5);
  rig.restart_relay();
  rig.clock.set_wall(WallTime{} + 10 * 24h);
  rig.restart_relay();
  rig.pass(21h + 58min);
  CHECK(rig.sent.size() == 5);
  rig.pass(4min);
  CHECK(rig.sent.size() == 10);
}

TEST_CASE("relay: a reload begins no new day, and a larger quota holds at once") {
  RateRig rig({{5, RateUnit::day}});
  rig.start_relay();
  rig.queue(10);
  rig.pass(1min);
  rig.reload();
  rig.pass(1h);
  CHECK(rig.sent.size() == 5);
  rig.settings.smarthosts[0].rates = {{7, RateUnit::day}};
  rig.reload();
  rig.pass(1min);
  CHECK(rig.sent.size() == 7);
  rig.settings.smarthosts[0].rates.clear();
  rig.reload();
  rig.pass(1min);
  CHECK(rig.sent.size() == 10);
}

TEST_CASE("relay: a smarthost whose rate is used up is not paused, and the next one gets nothing") {
  RateRig rig({{2, RateUnit::hour}});
  rig.settings.smarthosts.push_back(some_smarthost("backup"));
  rig.start_relay();
  rig.queue(4);
  rig.pass(59min);
  CHECK(rig.sent.size() == 2);
  rig.pass(2min);
  CHECK(rig.sent.size() == 4);
  CHECK(rig.hosts["backup"].dials == 0);
  CHECK(rig.lines_with("paused") == 0);
}

TEST_CASE("relay: mail that was not tried costs nothing of the quota") {
  RateRig rig({{30, RateUnit::day}});
  rig.main().minds_company = true;  // twice a mail that has travelled ahead is put back
  rig.queue(31);
  rig.start_relay();
  rig.pass(1h);
  CHECK(rig.main().companions >= 2);
  CHECK(rig.sent.size() == 30);
  rig.pass(24h);
  CHECK(rig.sent.size() == 31);
}

TEST_CASE("relay: a used-up rate is no reason to give mail up") {
  RateRig rig({{2, RateUnit::day}});
  rig.settings.queue.delay_notice = 0s;
  rig.start_relay();
  rig.queue(14);
  rig.pass(5 * 24h + 12h);
  CHECK(rig.sent.size() == 12);
  rig.main().answer = [](const std::string& command) {
    return command.starts_with("RCPT") ? "450 4.2.0 try later" : "";
  };
  rig.pass(24h);
  CHECK(rig.lines_with("status=deferred") == 2);
  CHECK(rig.lines_with("status=failed") == 0);
  CHECK(rig.queued().size() == 2);
}

TEST_CASE("relay: where only a mail can prove a paused smarthost, its rate holds for the probe too") {
  RateRig rig({{2, RateUnit::hour}});
  rig.main().answer = [](const std::string& command) {
    return command.starts_with("MAIL") ? "530 5.7.0 Authentication required" : "";
  };
  rig.start_relay();
  rig.queue(3);
  rig.pass(24h);
  CHECK(rig.main().dials >= 24);
  CHECK(rig.main().dials <= 2 * 24 + 2);
}
