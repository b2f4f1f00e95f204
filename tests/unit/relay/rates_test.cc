// SPDX-License-Identifier: MIT
#include "daemon/relay/rates.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "daemon/system/files.h"
#include "tests/unit/relay/relay_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::relay;
using mail::RateOf;
using mail::RateUnit;

namespace {

struct RatesRig {
  system::TemporaryDirectory directory{"hikyaku-rates-"};
  std::string file = directory.file("rates");
  ManualClock clock;
  std::vector<std::string> lines;
  log::MailLog log{clock, {}, [this](LogLevel, std::string_view line) { lines.emplace_back(line); }};
  mail::Smarthost smarthost = test::some_smarthost();
  std::unique_ptr<Rates> rates;

  explicit RatesRig(mail::Rate rate) {
    smarthost.rates = {rate};
    start();
  }
  void start(const std::string& boot = "this-boot") {
    rates = std::make_unique<Rates>(file, clock, log, boot);
    rates->configure({smarthost});
  }
  void stop() {
    rates->close();
    rates.reset();
  }
  // As if the machine had been started anew: its steady clock, too.
  void reboot(Duration wall_passes) {
    const WallTime wall = clock.wall() + wall_passes;
    clock = ManualClock();
    clock.set_wall(wall);
    start("next-boot");
  }
  void send(int messages, Duration pause = {}) {
    for (int i = 0; i < messages; ++i) {
      REQUIRE(limiter().take(clock.now()));
      clock.advance(pause);
    }
  }
  smtpc::RateLimiter& limiter() { return *rates->limiter(smarthost); }
  std::uint64_t left() { return limiter().available(clock.now()); }
  void write(std::string_view text) { std::ofstream(file) << text; }
};

std::string text_of(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("rates: what has gone in a day still counts after a restart, each for its day") {
  RatesRig rig({100, RateUnit::day});
  rig.send(10);
  rig.clock.advance(6h);
  rig.send(20);
  rig.stop();
  rig.clock.advance(2h);
  rig.start();
  CHECK(rig.left() == 70);
  rig.clock.advance(16h - 1us);
  CHECK(rig.left() == 70);
  rig.clock.advance(1us);
  CHECK(rig.left() == 80);
  rig.clock.advance(6h);
  CHECK(rig.left() == 100);
}

TEST_CASE("rates: after a crash rather too many count than too few, by a hundredth at most") {
  RatesRig rig({1000, RateUnit::day});
  rig.send(25, 1min);
  rig.start();  // nothing was written at the end
  CHECK(rig.left() <= 975);
  CHECK(rig.left() >= 965);
  rig.clock.advance(24h - 1min);
  CHECK(rig.left() <= 1000);
  CHECK(rig.left() >= 989);  // those that nobody is sure of count from the restart
  rig.clock.advance(1min);
  CHECK(rig.left() == 1000);
}

TEST_CASE("rates: crash upon crash lets no message go too many") {
  for (std::uint32_t count : {7U, 250U}) {
    CAPTURE(count);
    RatesRig rig({count, RateUnit::hour});
    unsigned sent = 0;
    for (int i = 0; i < 40; ++i) {
      for (int burst = 0; burst < 9 && rig.limiter().take(rig.clock.now()); ++burst) ++sent;
      rig.start();
      rig.clock.advance(1s);
    }
    CHECK(sent <= count);
    CHECK(sent >= count * 3 / 5);
  }
}

TEST_CASE("rates: the file is written once for each hundredth of a quota") {
  RatesRig rig({1000, RateUnit::day});
  std::string last;
  unsigned writes = 0;
  for (int i = 0; i < 500; ++i) {
    rig.send(1, 1ms);
    const std::string text = text_of(rig.file);
    writes += std::exchange(last, text) != text;
  }
  CHECK(writes >= 45);
  CHECK(writes <= 50);
}

TEST_CASE("rates: while the machine is up no jump of the wall clock counts") {
  for (Duration jump : {Duration(-400 * 24h), Duration(-25h), Duration(25h), Duration(400 * 24h)}) {
    RatesRig rig({5, RateUnit::day});
    rig.send(5);
    rig.stop();
    rig.clock.set_wall(rig.clock.wall() + jump);
    rig.clock.advance(23h);
    rig.start();
    CHECK(rig.left() == 0);
    rig.clock.advance(1h);
    CHECK(rig.left() == 5);
  }
}

TEST_CASE("rates: over a start of the machine the wall clock counts, if it can be right") {
  struct Case {
    Duration passes;
    Duration blocked_for;
  };
  for (const Case& c :
       {Case{Duration(20h), Duration(4h)}, Case{Duration(-20h), Duration(24h)},
        Case{Duration(-9000 * 24h), Duration(24h)}, Case{Duration(9000 * 24h), Duration(24h)}}) {
    RatesRig rig({5, RateUnit::day});
    rig.send(5);
    rig.stop();
    rig.reboot(c.passes);
    CHECK(rig.left() == 0);
    CHECK(rig.limiter().next(rig.clock.now()) == rig.clock.now() + c.blocked_for);
  }
  RatesRig rig({5, RateUnit::day});
  rig.send(5);
  rig.stop();
  rig.reboot(2 * 24h);
  CHECK(rig.left() == 5);
}

TEST_CASE("rates: a quota is the account's") {
  RatesRig rig({5, RateUnit::day});
  rig.smarthost.credentials = test::some_credentials("one password");
  rig.start();
  rig.send(5);
  rig.stop();
  rig.smarthost.credentials = test::some_credentials("another password");
  rig.start();
  CHECK(rig.left() == 0);
  rig.smarthost.credentials->user = "you@example.com";
  rig.start();
  CHECK(rig.left() == 5);
}

TEST_CASE("rates: seconds and minutes are not worth a file") {
  for (RateOf of : {RateOf::messages, RateOf::recipients}) {
    RatesRig rig({30, RateUnit::minute, of});
    rig.send(1);
    CHECK(rig.limiter().take_recipients(rig.clock.now(), 30));
    rig.stop();
    CHECK(!std::filesystem::exists(rig.file));
    CHECK(rig.lines.empty());
  }
}

TEST_CASE("rates: recipients of a day still count after a restart, and after a crash") {
  RatesRig rig({1000, RateUnit::day, RateOf::recipients});
  auto send_to = [&](std::uint64_t recipients) {
    REQUIRE(rig.limiter().take(rig.clock.now()));
    REQUIRE(rig.limiter().take_recipients(rig.clock.now(), recipients));
  };
  send_to(300);
  rig.clock.advance(1h);
  send_to(50);
  rig.stop();
  CHECK(text_of(rig.file).starts_with("rates 2 "));
  CHECK(text_of(rig.file).contains(" 1000_recipients/day "));
  rig.start();
  CHECK(rig.left() == 650);
  for (std::uint64_t recipients : {7U, 7U, 4U})
    send_to(recipients);  // the last are more than is left of the hundredth
  rig.start();
  CHECK(rig.left() <= 632);
  CHECK(rig.left() >= 622);
}

TEST_CASE("rates: of a mail that waits for room for its recipients it is said until when") {
  RatesRig rig({10, RateUnit::hour, RateOf::recipients});
  REQUIRE(rig.limiter().take_recipients(rig.clock.now(), 6));
  CHECK(rig.rates->used_up(rig.smarthost).empty());
  CHECK(!rig.limiter().take_recipients(rig.clock.now(), 5));
  CHECK(rig.rates->used_up(rig.smarthost)
            .starts_with("the rate 10 recipients/h is used up; mail waits until "));
}

TEST_CASE("rates: all recipients' own servers share one") {
  RatesRig rig({5, RateUnit::day});
  rig.smarthost.direct = true;
  rig.smarthost.host = "";
  rig.start();
  mail::Smarthost one = rig.smarthost, two = rig.smarthost;
  one.host = "one.example";
  two.host = "two.example";
  REQUIRE(rig.rates->limiter(one)->take(rig.clock.now()));
  REQUIRE(rig.rates->limiter(two)->take(rig.clock.now()));
  CHECK(rig.left() == 3);
}

TEST_CASE("rates: a quota that is used up is logged once in its unit") {
  RatesRig rig({2, RateUnit::hour});
  CHECK(rig.rates->used_up(rig.smarthost).empty());
  rig.send(2, 10min);
  CHECK(rig.lines.size() == 1);
  CHECK(rig.lines.at(0).find("warning the rate 2/h is used up; mail waits until 2026-09-21T") !=
        std::string::npos);
  CHECK(rig.rates->used_up(rig.smarthost).starts_with("the rate 2/h is used up; mail waits until "));
  rig.clock.advance(40min);
  rig.send(1);
  CHECK(rig.lines.size() == 1);
  rig.clock.advance(10min);
  rig.send(1);
  CHECK(rig.lines.size() == 2);
}

TEST_CASE("rates: a file that cannot be parsed is logged and counts nothing") {
  RatesRig rig({5, RateUnit::day});
  rig.send(5);
  rig.stop();
  rig.write("rates 3 x 1 1\n");
  rig.start();
  CHECK(rig.left() == 5);
  CHECK(rig.lines.back().find("cannot be parsed") != std::string::npos);
  rig.send(5);
  rig.start();
  CHECK(rig.left() == 0);
}

TEST_CASE("rates: a file that cannot be written is logged once, and the count goes on") {
  RatesRig rig({5, RateUnit::day});
  rig.file = rig.directory.file("missing/rates");
  rig.start();
  rig.send(4);
  CHECK(rig.left() == 1);
  CHECK(rig.lines.size() == 1);
  CHECK(rig.lines.at(0).find("missing/rates: No such file or directory; after a restart hourly") !=
        std::string::npos);
}

TEST_CASE("rates: the file is read as it was written, whole or not at all") {
  RateFile file{.boot = "a-b",
                .steady = Instant(7s),
                .wall = WallTime(1'790'000'000s),
                .records = {{.account = ~0ULL,
                             .rate = {10000, RateUnit::day},
                             .reserved = 100,
                             .used = {{23h, 4000}, {1us, 1}}},
                            {.account = 1, .rate = {50, RateUnit::hour}, .reserved = 0, .used = {}}}};
  CHECK(to_text(file).starts_with("rates 1 a-b "));
  CHECK(parse_rate_file(to_text(file)) == file);
  file.records.push_back(
      {.account = 1, .rate = {50, RateUnit::hour, RateOf::recipients}, .reserved = 0, .used = {{1us, 30}}});
  const std::string text = to_text(file);
  CHECK(text.starts_with("rates 2 a-b "));
  CHECK(parse_rate_file(text) == file);
  for (std::size_t length = 0; length < text.size(); ++length) {
    auto part = parse_rate_file(text.substr(0, length));
    CHECK((!part || text[length - 1] == '\n'));
  }
  const std::string head = "rates 1 b 1 1\n";
  CHECK(parse_rate_file(head));
  for (const char* line : {"1 5/day", "1 5/day 0 1", "1 5/day 0 1 -1", "x 5/day 0", "1 5 0",
                           "1 5/day 0 9999999999999 1", "1 5/day 0 1 1000001", "1 5/day 1000001", ""}) {
    CAPTURE(line);
    CHECK(!parse_rate_file(head + line + "\n"));
  }
  for (const char* other : {"rates 3 b 1 1\n", "rates 1 b 1\n", "rates 1 b 9223372036854775807 1\n", "\n"})
    CHECK(!parse_rate_file(other));
}
