// SPDX-License-Identifier: MIT
// One bad manner at a time: what it costs, and whom it delays.
#include <doctest/doctest.h>

#include <algorithm>

#include "daemon/base/text.h"
#include "tests/chaos/rig.h"

using namespace hikyaku;
using namespace hikyaku::test;

namespace {

constexpr std::uint64_t kSeeds = 8;  // every offer and place twice
const std::string kPoison = "poison@example.com";

std::string sender(int number) { return cat("s", std::to_string(number), "@example.com"); }

bool has(ChaosRig& rig, const std::string& from) {
  return rig.host.ledger().told(from, "to@example.net") == Told::yes;
}

auto poisoned(Moment at) {
  return [=](Moment moment, const std::string& from, const std::string&) -> std::optional<Reaction> {
    if (moment != at || from != kPoison) return std::nullopt;
    return Reaction{.manner = Manner::silent, .stores = false};
  };
}

std::string long_content() {
  std::string content = "Subject: long\r\n\r\n";
  for (int i = 0; i < 100; ++i) content += "a line\r\n";
  return content;
}

// Ten mails at once, in the first burst the poison among them.
void send_burst(ChaosRig& rig, int burst, int place) {
  for (int i = 0; i < 10; ++i) {
    if (burst == 0 && i == place) rig.send(kPoison, {"to@example.net"}, long_content());
    rig.send(sender(burst * 10 + i), {"to@example.net"});
  }
}

int missing(ChaosRig& rig, int burst) {
  int count = 0;
  for (int i = 0; i < 10; ++i) count += has(rig, sender(burst * 10 + i)) ? 0 : 1;
  return count;
}

}  // namespace

TEST_CASE("chaos: a message on which the smarthost always hangs up delays nobody else") {
  for (Moment at : {Moment::mail, Moment::rcpt, Moment::data, Moment::content, Moment::message})
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      CAPTURE(static_cast<int>(at));
      CAPTURE(seed);
      ChaosRig rig(seed);
      rig.host.offer.chunking = seed % 4 == 0 && at != Moment::data && at != Moment::content;
      rig.host.offer.pipelining = seed % 4 != 1;
      rig.host.whim = poisoned(at);
      rig.start_relay();
      rig.prove();
      for (int burst = 0; burst < 20; ++burst) {
        send_burst(rig, burst, static_cast<int>(seed % 10));
        rig.pass(2s);
        CHECK(missing(rig, burst) == 0);
        rig.pass(9s);
      }
      CHECK(rig.lines_with("paused") == 0);
      CHECK_FALSE(has(rig, kPoison));
      CHECK(rig.queued().size() == 1);
    }
}

TEST_CASE("chaos: a smarthost that greets with silence, drips or floods costs one connection at a time") {
  for (Manner manner :
       {Manner::mute, Manner::late, Manner::dripped, Manner::endless, Manner::garbled, Manner::silent}) {
    CAPTURE(static_cast<int>(manner));
    ChaosRig rig(7);
    rig.start_relay();
    rig.prove();
    rig.pass(1min);
    unsigned before = rig.host.dials();
    rig.host.whim = always(Moment::greeting, {.manner = manner, .hangs_up = true});
    for (int i = 0; i < 30; ++i) rig.send(sender(i), {"to@example.net"});
    rig.pass(6h);
    CHECK(rig.connector.most_open() == 1);
    CHECK(rig.host.dials() - before <=
          6 * 20);  // the first few waits are shorter than the five minutes after
    CHECK(rig.host.most_endless_bytes() <= 256 * 1024);
    CHECK(rig.queued().size() == 30);
    CHECK(rig.lines_with("status=failed") == 0);
    rig.host.whim = always(Moment::greeting, {});
    rig.pass(10min);
    CHECK(rig.queued().empty());
  }
}

// Past the first deadline the lane knows: then there is one connection, and one mail's attempt in it.
TEST_CASE("chaos: a smarthost that stalls, drips or floods amid mail costs each connection a deadline") {
  for (Moment at : {Moment::mail, Moment::rcpt, Moment::data, Moment::message})
    for (Manner manner : {Manner::mute, Manner::late, Manner::dripped, Manner::endless}) {
      CAPTURE(static_cast<int>(at));
      CAPTURE(static_cast<int>(manner));
      ChaosRig rig(11);
      rig.start_relay();
      rig.prove();
      rig.host.whim = always(at, {.answer = Answer::later, .manner = manner, .hangs_up = true});
      for (int i = 0; i < 10; ++i) rig.send(sender(i), {"to@example.net"});
      rig.pass(8h);
      CHECK(rig.connector.most_open() <= 4);
      CHECK(rig.host.most_endless_bytes() <= 256 * 1024);
      CHECK(rig.queued().size() >= 10);  // and notices of the delay
      CHECK(rig.lines_with("status=failed") == 0);
      rig.host.whim = always(at, {});
      rig.pass(3h);
      CHECK(rig.queued().empty());
    }
}
