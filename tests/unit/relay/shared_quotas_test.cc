// SPDX-License-Identifier: MIT
// Several nodes use up one hourly rate, in virtual time.
#include "daemon/relay/shared_quotas.h"

#include <doctest/doctest.h>

#include <deque>
#include <random>

#include "daemon/base/text.h"
#include "tests/support/fake_accounts.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::relay;
using mail::RateOf;
using mail::RateUnit;

namespace {

// Until it is killed, or stops in order.
struct SendingNode {
  FakeAccounts accounts;
  std::shared_ptr<smtpc::RateLimiter> limiter = std::make_shared<smtpc::RateLimiter>();
  io::Event more;
  SharedQuotas quotas;
  io::Loop& loop;

  SendingNode(io::Loop& its_loop, AccountTable& table, log::MailLog& log, mail::Rate rate)
      : accounts(its_loop, table),
        more(its_loop),
        quotas(its_loop, accounts, log, [this] { more.notify(); }),
        loop(its_loop) {
    quotas.serve(7, "main", limiter);
    limiter->configure({rate}, {.is_counted_for = true});
  }
  void stop(bool is_crash) {
    accounts.is_cut = is_crash;
    loop.run(quotas.stop());
  }
  bool send() { return limiter->take(loop.now()); }
};

struct QuotaRig {
  ManualClock clock;
  io::Loop loop{clock};
  AccountTable table;
  std::vector<std::string> lines;
  log::MailLog log{clock, {}, [this](LogLevel, std::string_view line) { lines.emplace_back(line); }};
  std::deque<Instant> sent;

  std::unique_ptr<SendingNode> node(mail::Rate rate) {
    return std::make_unique<SendingNode>(loop, table, log, rate);
  }
  void pass(Duration time) { loop.run(io::sleep_until(loop, loop.within(time))); }
  // As a lane does: again when the limiter says so.
  unsigned send_all(SendingNode& node, Duration time) {
    const Instant end = loop.now() + time;
    unsigned count = 0;
    while (loop.now() < end) {
      while (node.send()) {
        sent.push_back(loop.now());
        ++count;
      }
      loop.run(until_more(node, std::min(end, node.limiter->next(loop.now()))));
    }
    return count;
  }
  Task<void> until_more(SendingNode& node, Instant next) {
    co_await node.more.wait({std::max(next, loop.now() + 1ms), nullptr});
  }
  std::size_t most_in(Duration period) const {
    std::size_t most = 0, begin = 0;
    for (std::size_t i = 0; i < sent.size(); ++i) {
      while (sent[i] - sent[begin] >= period) ++begin;
      most = std::max(most, i + 1 - begin);
    }
    return most;
  }
};

}  // namespace

TEST_CASE("shared quotas: what is used comes back as text, and what is none of ours does not") {
  smtpc::Quota quota({100, RateUnit::hour});
  quota.take(Instant(5h), 3);
  quota.take(Instant(6h), 4, 36s);
  const auto back = parse_quota(to_text(quota), {100, RateUnit::hour});
  REQUIRE(back);
  CHECK(back->used() == quota.used());
  CHECK(back->available(Instant(6h)) == 96);  // those of 5:00 count no longer
  for (const char* text :
       {"", "quota 2\n", "quota 1", "quota 1\n1 2\n", "quota 1\n1 x 3\n", "quota 1\n1 2 9999999999\n"})
    CHECK_FALSE(parse_quota(text, {100, RateUnit::hour}));
}

TEST_CASE("shared quotas: two nodes together use the rate up, and not more") {
  QuotaRig rig;
  auto left = rig.node({10, RateUnit::hour}), right = rig.node({10, RateUnit::hour});
  unsigned sent = rig.send_all(*left, 2s);
  CHECK(sent >= 4);
  rig.pass(1min);  // what the idle one had set aside is back
  sent += rig.send_all(*right, 2min);
  CHECK(sent == 10);
  CHECK(right->quotas.used_up(*right->limiter).starts_with("the rate 10/h is used up by all nodes together"));
  CHECK(right->quotas.used(*right->limiter) == 1.0);
  CHECK(std::ranges::count_if(rig.lines,
                              [](const auto& line) { return line.find("used up") != line.npos; }) <= 2);
  sent += rig.send_all(*left, 61min);
  CHECK(sent > 10);
  CHECK(rig.most_in(1h) <= 10);
  left->stop(false), right->stop(false);
}

TEST_CASE("shared quotas: whatever is killed, cut off or lost, no hour has more than the rate says") {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    std::mt19937 dice(seed);
    auto roll = [&](unsigned sides) { return dice() % sides; };
    const mail::Rate rate{std::vector<std::uint32_t>{3, 40, 700}[seed % 3], RateUnit::hour};
    QuotaRig rig;
    std::vector<std::unique_ptr<SendingNode>> nodes;
    for (int i = 0; i < 3; ++i) nodes.push_back(rig.node(rate));
    for (int step = 0; step < 120; ++step) {
      auto& node = nodes[roll(3)];
      switch (roll(9)) {
        case 0: node->accounts.is_cut = !node->accounts.is_cut; break;
        case 1: node->accounts.lose_answers = static_cast<int>(roll(3)); break;
        case 2: node->accounts.delay = std::chrono::milliseconds(roll(1500)); break;
        case 3:
          node->stop(roll(2) == 0);
          node = rig.node(rate);
          break;
        default: rig.send_all(*node, std::chrono::seconds(roll(200)));
      }
      if (roll(4) == 0) rig.pass(std::chrono::seconds(roll(900)));
    }
    CHECK(rig.most_in(1h) <= rate.count);
    CHECK(rig.sent.size() >= rate.count);
    for (auto& node : nodes) node->stop(true);
  }
}

TEST_CASE("shared quotas: a death costs at most a hundredth, for an hour at most") {
  QuotaRig rig;
  auto left = rig.node({1000, RateUnit::hour}), right = rig.node({1000, RateUnit::hour});
  REQUIRE(rig.send_all(*left, 10ms) > 0);
  left->stop(true);
  const unsigned before = static_cast<unsigned>(rig.sent.size());
  const unsigned sent = rig.send_all(*right, 2min);
  CHECK(before + sent <= 1000);
  CHECK(before + sent >= 990);
  right->stop(false);
}

TEST_CASE("shared quotas: what is not used goes back, and an idle node asks for nothing") {
  QuotaRig rig;
  auto node = rig.node({1000, RateUnit::hour});
  CHECK_FALSE(node->send());
  rig.pass(1s);
  CHECK(node->limiter->available(rig.loop.now()) == 10);
  for (int i = 0; i < 3; ++i) CHECK(node->send());
  rig.pass(40s);
  const int asked = node->accounts.gets;
  CHECK(parse_quota(rig.table.rows.begin()->second.second, {1000, RateUnit::hour})
            ->available(Instant(node->accounts.shared_clock().time_since_epoch())) == 997);
  rig.pass(30min);
  CHECK(node->accounts.gets == asked);
  node->stop(false);
}

TEST_CASE(
    "shared quotas: while the accounts are away only what is set aside may be used, and it is said why") {
  QuotaRig rig;
  auto node = rig.node({1000, RateUnit::hour});
  CHECK_FALSE(node->send());
  rig.pass(1s);
  node->accounts.is_cut = true;
  CHECK(rig.send_all(*node, 1min) == 10);
  CHECK(node->quotas.used_up(*node->limiter).find("the database cannot be reached") != std::string::npos);
  CHECK(std::ranges::count_if(rig.lines, [](const auto& line) {
          return line.find("until the database answers") != line.npos;
        }) == 1);
  node->accounts.is_cut = false;
  CHECK(rig.send_all(*node, 10s) > 100);
  CHECK(node->quotas.used_up(*node->limiter).find("database") == std::string::npos);
  node->stop(false);
}

TEST_CASE("shared quotas: counting does not ask the accounts for each message, nor does it wait for them") {
  QuotaRig rig;
  auto node = rig.node({100'000, RateUnit::day});
  CHECK_FALSE(node->send());
  rig.pass(1s);
  for (int i = 0; i < 5'000; ++i) {
    CHECK(node->send());
    if (i % 100 == 0) rig.pass(10ms);
  }
  CHECK(node->accounts.puts <= 12);
  node->stop(false);
}

TEST_CASE(
    "shared quotas: recipients are counted as many as there are, and a mail to more than the rate goes "
    "alone") {
  QuotaRig rig;
  auto node = rig.node({100, RateUnit::hour, RateOf::recipients});
  auto take = [&](std::uint64_t recipients) {
    return node->limiter->take_recipients(rig.loop.now(), recipients);
  };
  CHECK_FALSE(take(30));
  rig.pass(1s);
  CHECK(take(30));
  CHECK_FALSE(take(80));
  rig.pass(10s);
  CHECK_FALSE(take(80));
  rig.pass(61min + 36s);
  CHECK_FALSE(take(250));
  rig.pass(1s);
  CHECK(take(250));
  rig.pass(5s);
  CHECK_FALSE(take(1));
  node->stop(false);
}

TEST_CASE("shared quotas: another clock of a node, or of the accounts, does not make hours shorter") {
  QuotaRig rig;
  auto node = rig.node({10, RateUnit::hour});
  REQUIRE(rig.send_all(*node, 10s) == 10);
  rig.clock.set_wall(rig.clock.wall() + 48h);
  CHECK(rig.send_all(*node, 10min) == 0);
  rig.table.clock_ahead -= 2h;
  CHECK(rig.send_all(*node, 50min) == 0);
  node->stop(false);
}
