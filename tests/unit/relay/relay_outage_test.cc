// SPDX-License-Identifier: MIT
// One outage of a smarthost, however many connections meet it: when the relay looks again, and that it looks
// when it has said so.
#include <doctest/doctest.h>

#include <optional>
#include <sstream>

#include "daemon/relay/relay.h"
#include "tests/unit/relay/relay_rig.h"

using namespace hikyaku;
using namespace hikyaku::relay;
using namespace hikyaku::test;

namespace {

constexpr Duration kTick = 100ms;

// "next_probe=1.6s" or "next_probe=59m58s" in a line of the log, as a time.
std::optional<Duration> promise_in(const std::string& line) {
  const std::string key = "next_probe=";
  const auto at = line.find(key);
  if (line.find("smarthost paused") == line.npos || at == line.npos) return std::nullopt;
  std::istringstream text(line.substr(at + key.size()));
  Duration promise{0};
  double number = 0;
  for (char unit = 0; text >> number >> unit && unit != 's';
       promise += std::chrono::minutes(static_cast<int>(number)))
    REQUIRE(unit == 'm');
  return promise + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(number));
}

bool is_near(Duration a, Duration b) { return a - b <= 2 * kTick && b - a <= 2 * kTick; }

// Passes time in small steps and holds every promise of log and status against the dials.
struct Watch {
  RelayRig& rig;
  std::size_t seen = 0;
  std::optional<Instant> promised = std::nullopt;
  std::size_t promises = 0;

  void tick() {
    const unsigned dials = rig.main().dials;
    rig.pass(kTick);
    if (rig.main().dials != dials && promised) {
      CHECK(is_near(rig.main().last_dial - Instant{}, *promised - Instant{}));
      promised.reset();
    }
    for (; seen < rig.lines.size(); ++seen)
      if (auto promise = promise_in(rig.lines[seen])) {
        CHECK_FALSE(promised);  // unless the one before was kept
        promised = rig.loop.now() + *promise;
        ++promises;
        auto status = rig.relay->report().smarthosts[0].next_probe;
        REQUIRE(status);
        CHECK(is_near(*status - rig.clock.wall(), *promise));
      }
  }
  void pass(Duration time) {
    for (Instant end = rig.loop.now() + time; rig.loop.now() < end;) tick();
  }
};

// A smarthost at work on all its connections, with more to do.
void begin_work(RelayRig& rig, unsigned connections) {
  rig.settings.smarthosts[0].connections = connections;
  rig.start_relay();
  rig.send();
  rig.pass(5s);
  REQUIRE(rig.main().mails.size() == 1);
  rig.main().latency = 200ms;
  for (unsigned i = 0; i < 40 * connections; ++i)
    rig.send({"user@example.net"}, std::to_string(i) + "@example.com");
  while (rig.main().open < connections) rig.pass(kTick);
  rig.pass(1s);
  REQUIRE(rig.main().open == connections);
}

// A mail waits behind a log-in that the smarthost cannot judge.
void send_without_log_in(RelayRig& rig) {
  rig.settings.smarthosts[0].credentials = some_credentials();
  rig.main().answer = [](const std::string& command) {
    return command.starts_with("AUTH") ? "454 4.7.0 Temporary authentication failure" : "";
  };
  rig.start_relay();
  rig.send();
}

}  // namespace

TEST_CASE("relay: a smarthost that restarts is back within seconds") {
  for (unsigned connections : {1U, 4U, 12U}) {
    CAPTURE(connections);
    RelayRig rig;
    begin_work(rig, connections);
    Watch watch{rig};
    const std::size_t before = rig.main().mails.size();
    const unsigned dials = rig.main().dials;
    rig.main().is_down = rig.main().breaks_off = true;
    watch.pass(3s);
    CHECK(watch.promises >= 1);
    rig.main().is_down = rig.main().breaks_off = false;
    CHECK(rig.main().mails.size() == before);
    watch.pass(10s);
    CHECK(rig.main().mails.size() > before);
    CHECK(rig.lines_with("smarthost up") == 1);
    CHECK(watch.promises <= 2);  // broken off; then, by another reason, nobody listens
    CHECK(rig.main().dials - dials <= connections + 4);  // the outage, one look in it, one behind it
    watch.pass(10min);
    CHECK(rig.queued().empty());
    CHECK(rig.main().mails.size() == 1 + 40 * connections);
    CHECK(rig.lines_with("status=failed") == 0);
  }
}

TEST_CASE("relay: a smarthost that hangs up and is there again at once is back within two seconds") {
  for (unsigned connections : {1U, 4U, 12U}) {
    CAPTURE(connections);
    RelayRig rig;
    begin_work(rig, connections);
    Watch watch{rig};
    const std::size_t before = rig.main().mails.size();
    rig.main().is_down = rig.main().breaks_off = true;
    watch.pass(400ms);
    rig.main().is_down = rig.main().breaks_off = false;
    watch.pass(4s);
    CHECK(rig.main().mails.size() > before);
    CHECK_FALSE(rig.relay->report().smarthosts[0].next_probe);
  }
}

TEST_CASE(
    "relay: while the smarthost stays away, each probe fails once and the next comes at the promised time") {
  RelayRig rig;
  begin_work(rig, 12);
  rig.main().is_down = rig.main().breaks_off = true;
  Watch watch{rig};
  watch.pass(5s);
  // 1.6 s, then 10, 20, 40 … as from the start.
  std::vector<Duration> gaps;
  Instant last = rig.main().last_dial;
  for (unsigned dials = rig.main().dials; gaps.size() < 4;) {
    const auto status = rig.relay->report().smarthosts[0].next_probe;
    REQUIRE(status);
    const Instant promised = rig.loop.now() + (*status - rig.clock.wall());
    while (rig.main().dials == dials) rig.pass(kTick);
    CHECK(is_near(rig.main().last_dial - Instant{}, promised - Instant{}));
    CHECK(rig.main().dials == ++dials);
    gaps.push_back(rig.main().last_dial - std::exchange(last, rig.main().last_dial));
  }
  CHECK(is_near(gaps[0], 10s));
  CHECK(is_near(gaps[1], 20s));
  CHECK(is_near(gaps[2], 40s));
  CHECK(is_near(gaps[3], 80s));
}

TEST_CASE("relay: a log-in that the smarthost cannot judge at the moment is tried again after ten seconds") {
  RelayRig rig;
  send_without_log_in(rig);
  rig.pass(9s);
  CHECK(rig.main().logins == 1);
  rig.main().answer = [](const std::string&) { return ""; };
  rig.pass(3s);
  CHECK(rig.main().logins == 2);
  CHECK(rig.main().mails.size() == 1);
}

TEST_CASE("relay: a log-in that cannot be judged all day costs few log-ins too") {
  RelayRig rig;
  send_without_log_in(rig);
  rig.pass(24h);
  CHECK(rig.main().logins <= 70);
}

TEST_CASE("relay: an account that has reached its daily limit is left alone for an hour") {
  RelayRig rig;
  rig.settings.smarthosts[0].credentials = some_credentials();
  rig.start_relay();
  rig.send();
  rig.pass();
  rig.main().answer = [](const std::string& command) {
    return command.starts_with("MAIL") ? "550 5.4.5 Daily user sending limit exceeded." : "";
  };
  for (int i = 0; i < 20; ++i) rig.send();
  rig.pass();
  CHECK(rig.lines_with("smarthost paused") == 1);
  CHECK(rig.lines_with("next_probe=1h") == 1);
  const unsigned dials = rig.main().dials;
  rig.pass(56min);
  CHECK(rig.main().dials == dials);
  rig.main().answer = [](const std::string&) { return ""; };
  rig.pass(8min);
  CHECK(rig.main().mails.size() == 21);
  CHECK(rig.lines_with("status=failed") == 0);
}

TEST_CASE("relay: what the log promises of a probe holds where the rate forbids to look earlier, too") {
  RelayRig rig;
  rig.settings.smarthosts[0].rates = {{.count = 2, .unit = mail::RateUnit::hour}};
  rig.start_relay();
  rig.send();
  rig.pass(5min);
  rig.main().answer = [](const std::string& command) {
    return command.starts_with("MAIL") ? "530 5.7.0 Authentication required" : "";
  };
  Watch watch{rig};
  rig.send();
  watch.pass(30min);
  CHECK(watch.promises >= 1);
  CHECK(rig.main().dials <= 2);
  watch.pass(1h);
  CHECK(rig.main().dials >= 2);
}

TEST_CASE(
    "relay: a smarthost that breaks off with all its queue is tried with new mail as soon as that comes") {
  RelayRig rig;
  rig.start_relay();
  rig.send();
  rig.pass();
  rig.main().answer = [](const std::string& command) { return command.starts_with("MAIL") ? "HANG UP" : ""; };
  rig.send();
  rig.send();
  rig.pass(3s);  // the probe in this time has nothing to send
  rig.main().answer = [](const std::string&) { return ""; };
  const std::size_t before = rig.main().mails.size();
  rig.send();
  rig.pass();
  CHECK(rig.main().mails.size() == before + 1);
}
