// SPDX-License-Identifier: MIT
// A smarthost that is away for ten days, in each of the ways in which one can be, and a long queue.
#include <doctest/doctest.h>

#include <set>

#include "daemon/mail/retry.h"
#include "tests/chaos/many_mails.h"
#include "tests/chaos/rig.h"
#include "tests/support/memory_sink.h"

using namespace hikyaku;
using namespace hikyaku::test;

namespace {

constexpr Duration kTenDays = 10 * 24h;

struct Outage {
  ManualClock clock;
  io::Loop loop{clock};
  ChaosSmarthost host{loop, 1};
  ChaosConnector connector{host};
  ManyMails mails;
  MemorySink notices{loop};
  std::vector<std::string> lines;
  log::MailLog log{clock, {}, [this](LogLevel, std::string_view line) { lines.emplace_back(line); }};
  std::unique_ptr<relay::Relay> relay;

  explicit Outage(std::size_t queued) {
    host.offer.chunking = true;
    for (std::size_t i = 0; i < queued; ++i) mails.add();
    relay = std::make_unique<relay::Relay>(relay::RelayParts{.loop = loop,
                                                             .sink = notices,
                                                             .source = mails,
                                                             .connector = connector,
                                                             .log = log,
                                                             .token = "token",
                                                             .proven_file = "",
                                                             .rates_file = "",
                                                             .jitter = [] { return 0.5; }},
                                           Duration{0});
  }
  ~Outage() {
    loop.run(relay->stop(1s));
    loop.run(host.drained());
  }

  void configure(bool logs_in, unsigned connections = 4) {
    config::Settings settings;
    settings.hostname = "app1.example.com";
    settings.domain = "example.com";
    settings.smarthosts = {chaotic_smarthost()};
    settings.smarthosts.front().connections = connections;
    if (logs_in) settings.smarthosts.front().credentials = some_credentials();
    REQUIRE(relay->configure(settings));
  }
  void arrive(int number) {
    for (int i = 0; i < number; ++i) relay->arrived(mails.add());
  }
  void pass(Duration time) { loop.run(passing(time)); }
  std::size_t lines_with(std::string_view what) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(lines, [&](const std::string& line) { return line.find(what) != line.npos; }));
  }

 private:
  Task<void> passing(Duration time) { co_await io::sleep_until(loop, loop.within(time)); }
};

// So often a lane looks in that time if each look takes `each` and fails.
unsigned probes_in(Duration time, Duration each, const mail::RetryPolicy& policy) {
  unsigned probes = 1;
  for (Duration passed = each; passed < time; ++probes) passed += each + mail::next_wait(probes, policy, 0.5);
  return probes;
}

}  // namespace

TEST_CASE("chaos: a hundred thousand mails outlast ten days without their smarthost, and then leave") {
  constexpr std::size_t kQueued = 100'000;
  Outage outage(kQueued);
  outage.host.is_down = true;
  outage.configure(false);
  for (int day = 0; day < 10; ++day) {
    outage.pass(12h);
    outage.relay->arrived(outage.mails.add());
    outage.pass(12h);
  }
  CHECK(outage.host.dials() <= probes_in(kTenDays, Duration{0}, mail::kProbePolicy));
  CHECK(outage.host.dials() >= 10 * 24 * 12);  // and is looked for
  CHECK(outage.mails.records() == 0);          // nothing has expired, nothing was tried
  CHECK(outage.notices.mails().empty());
  CHECK(outage.lines_with("status=") == 0);
  CHECK(outage.lines_with("nobody listens") >= 10);  // once, and once a day
  CHECK(outage.lines_with("nobody listens") <= 11);
  outage.host.is_down = false;
  outage.pass(10min);
  CHECK(outage.mails.queued() == 0);
  CHECK(outage.host.ledger().entries().size() == kQueued + 10);
  CHECK(outage.notices.mails().empty());
  CHECK(outage.connector.most_open() <= 4);
}

TEST_CASE("chaos: ten days of silence, of hang-ups, of 421 and of a refused log-in cost no mail either") {
  struct {
    Moment at;
    Reaction reaction;
    Duration each;  // what one look takes
    mail::RetryPolicy policy;
  } const ways[] = {
      {Moment::greeting, {.manner = Manner::mute}, 5min, mail::kProbePolicy},
      {Moment::greeting, {.manner = Manner::silent}, 0s, mail::kProbePolicy},
      {Moment::greeting, {.answer = Answer::closing}, 0s, mail::kProbePolicy},
      {Moment::auth, {.answer = Answer::never}, 0s, mail::kLogInPolicy},
      {Moment::mail, {.answer = Answer::ours}, 0s, mail::kProbePolicy},
  };
  for (const auto& way : ways) {
    CAPTURE(static_cast<int>(way.at));
    CAPTURE(static_cast<int>(way.reaction.manner));
    Outage outage(2'000);
    outage.host.wants_login = true;
    outage.host.whim = always(way.at, way.reaction);
    outage.configure(true);
    outage.pass(kTenDays);
    CHECK(outage.host.dials() <= probes_in(kTenDays, way.each, way.policy));
    CHECK(outage.connector.most_open() == 1);
    CHECK(outage.notices.mails().empty());
    CHECK(outage.lines_with("status=") == 0);
    CHECK(outage.mails.queued() == 2'000);
    outage.host.whim = always(way.at, {});
    outage.pass(2h + 10min);  // where the account's limit was the latest reason it is left alone for so long
    CHECK(outage.mails.queued() == 0);
    CHECK(outage.host.ledger().entries().size() == 2'000);
  }
}

TEST_CASE("chaos: what is refused for now after ten days of pause has not waited for ten days") {
  Outage outage(1'000);
  outage.host.is_down = true;
  outage.configure(false);
  outage.pass(kTenDays);
  outage.host.is_down = false;
  outage.host.whim = always(Moment::rcpt, {.answer = Answer::later});
  outage.pass(3h);
  CHECK(outage.mails.queued() == 1'000);
  CHECK(outage.lines_with("status=deferred") >= 1'000);
  CHECK(outage.lines_with("status=failed") == 0);
  CHECK(outage.notices.mails().empty());  // no bounce, no notice of a delay
  outage.host.whim = always(Moment::rcpt, {});
  outage.pass(2h);
  CHECK(outage.mails.queued() == 0);
}

TEST_CASE(
    "chaos: each of many restarts of the smarthost, amid work on all connections, is over within seconds") {
  constexpr int kRestarts = 20;
  for (unsigned connections : {1U, 4U, 12U}) {
    CAPTURE(connections);
    Outage outage(1);
    outage.configure(false, connections);
    outage.pass(1s);  // proven
    for (int restart = 0; restart < kRestarts; ++restart) {
      outage.arrive(100);
      outage.pass(1s);  // connections are open
      outage.host.is_down = true;
      outage.host.whim = always(Moment::mail, {.manner = Manner::silent, .hangs_up = true, .stores = false});
      outage.arrive(100);
      outage.pass(3s);
      outage.host.is_down = false;
      outage.host.whim = always(Moment::mail, {});
      outage.pass(11s);
      CHECK(outage.mails.queued() <= connections);  // those that broke off wait by their own schedules
      outage.pass(1min);
      CHECK(outage.mails.queued() == 0);
    }
    CHECK(outage.lines_with("smarthost paused") <= 2 * kRestarts);  // broken off; then, nobody listens
    CHECK(outage.lines_with("smarthost up") == kRestarts);
    CHECK(outage.lines_with("status=failed") == 0);
    CHECK(outage.host.ledger().entries().size() == 1 + kRestarts * 200);
  }
}
