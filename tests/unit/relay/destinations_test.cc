// SPDX-License-Identifier: MIT
#include "daemon/relay/destinations.h"

#include <doctest/doctest.h>

#include "tests/unit/relay/relay_rig.h"

using namespace hikyaku;
using namespace hikyaku::relay;
using namespace hikyaku::test;

namespace {

mail::Smarthost direct_smarthost() {
  mail::Smarthost direct = some_smarthost("direct");
  direct.host = "";
  direct.port = 25;
  direct.direct = true;
  direct.auth = false;
  return direct;
}

std::string numbered_domain(std::size_t number) { return cat("d", std::to_string(number), ".example"); }

struct DirectRig : RelayRig {
  DirectRig() { settings.smarthosts = {direct_smarthost()}; }
  void send_to_domains(std::size_t many) {
    for (std::size_t i = 0; i < many; ++i) send({cat("a@", numbered_domain(i))});
  }
  std::size_t arrived_at_domains(std::size_t many) {
    std::size_t arrived = 0;
    for (std::size_t i = 0; i < many; ++i) arrived += hosts[numbered_domain(i)].mails.size();
    return arrived;
  }
  mail::Failure failure(const std::string& domain, mail::FailureKind kind,
                        mail::Concerns concerns = mail::Concerns::smarthost) {
    mail::Smarthost there = direct_smarthost();
    there.host = domain;
    mail::Failure failure = mail::make_failure(there, mail::Stage::lookup, kind);
    failure.concerns = concerns;
    return failure;
  }
};

// Counts the blocks that are there.
template <class T>
struct CountingAllocator {
  using value_type = T;
  explicit CountingAllocator(std::size_t& count) : blocks(&count) {}
  template <class Other>
  CountingAllocator(const CountingAllocator<Other>& other)
      : blocks(other.blocks) {}  // NOLINT: as allocators do
  T* allocate(std::size_t number) {
    ++*blocks;
    return std::allocator<T>().allocate(number);
  }
  void deallocate(T* block, std::size_t number) {
    --*blocks;
    std::allocator<T>().deallocate(block, number);
  }
  bool operator==(const CountingAllocator&) const = default;
  std::size_t* blocks;
};

struct NoWork final : smtpc::LaneWork, smtpc::LaneObserver {
  std::size_t waiting(const smtpc::Lane&) const override { return 0; }
  bool has_fresh(const smtpc::Lane&, const std::vector<mail::MailId>&) const override { return false; }
  Task<std::optional<smtpc::Job>> take(const smtpc::Lane&, smtpc::Preference) override {
    co_return std::nullopt;
  }
  smtpc::TicketPtr settle(smtpc::Job, smtpc::TransactionResult, smtpc::UsedConnection) override {
    return nullptr;
  }
  void put_back(smtpc::Job) override {}
  void changed(const smtpc::Lane&) override {}
  void dialled(const smtpc::Lane&, const smtpc::ConnectionAttempt&) override {}
  void speaks_plainly(const smtpc::Lane&) override {}
  void session_failed(const smtpc::Lane&, mail::DialoguePtr) override {}
  void accepted(const smtpc::Lane&) override {}
};

}  // namespace

TEST_CASE("destinations: each recipient's domain gets its own, over one connection for all mail to it") {
  DirectRig rig;
  rig.start_relay();
  rig.send({"a@one.example", "b@two.example", "c@ONE.example"});
  rig.send({"d@two.example"});
  rig.pass();
  REQUIRE(rig.hosts["one.example"].mails.size() == 1);
  CHECK(rig.hosts["one.example"].mails[0].recipients ==
        std::vector<std::string>{"a@one.example", "c@ONE.example"});
  CHECK(rig.hosts["two.example"].mails.size() == 2);
  CHECK(rig.queued().empty());
  CHECK(rig.lines_with("smarthost paused") == 0);
}

TEST_CASE("destinations: one that is out of reach delays nobody else, and gets its mail when it is back") {
  DirectRig rig;
  rig.hosts["dead.example"].is_down = true;
  rig.start_relay();
  for (int i = 0; i < 20; ++i) {
    rig.send({cat("a", std::to_string(i), "@dead.example"), cat("b", std::to_string(i), "@live.example")});
    rig.send({"c@other.example"});
  }
  rig.pass();
  CHECK(rig.hosts["live.example"].mails.size() == 20);
  CHECK(rig.hosts["other.example"].mails.size() == 20);
  CHECK(rig.relay->queued() == 20);
  CHECK(rig.lines_with("smarthost paused") == 0);  // no news for the operator
  CHECK(rig.lines_with("status=deferred") >= 1);
  rig.pass(1h);
  CHECK(rig.hosts["dead.example"].dials < 60);  // shared by all mail to it
  rig.hosts["dead.example"].is_down = false;
  rig.pass(3h);
  CHECK(rig.hosts["dead.example"].mails.size() == 20);
  CHECK(rig.hosts["live.example"].mails.size() == 20);
  CHECK(rig.queued().empty());
}

TEST_CASE(
    "destinations: time in which one cannot be reached counts: a late notice, and in the end a bounce") {
  DirectRig rig;
  rig.hosts["dead.example"].is_down = true;
  rig.start_relay();
  rig.send({"a@dead.example"}, "app@here.example");
  rig.pass(6h);
  CHECK(rig.lines_with("kind=delayed") == 1);
  CHECK(rig.lines_with("kind=failed") == 0);
  rig.pass(24h * 6);
  CHECK(rig.lines_with("kind=failed") == 1);
  CHECK(rig.queued().empty());
  CHECK(rig.hosts["here.example"].mails.size() == 2);
}

TEST_CASE("destinations: a domain that does not exist, for certain, bounces at once") {
  DirectRig rig;
  rig.hosts["none.example"].unreachable =
      rig.failure("none.example", mail::FailureKind::no_such_domain, mail::Concerns::recipient);
  rig.start_relay();
  rig.send({"a@none.example", "b@live.example"}, "app@here.example");
  rig.pass();
  CHECK(rig.lines_with("status=failed") == 1);
  CHECK(rig.hosts["live.example"].mails.size() == 1);
  CHECK(rig.hosts["here.example"].mails.size() == 1);
  CHECK(rig.queued().empty());
}

TEST_CASE("destinations: one that refuses a mail gets the next") {
  DirectRig rig;
  rig.hosts["fussy.example"].judge = [](const ReceivedMail& mail) {
    return mail.recipients.front().starts_with("spam") ? "554 5.7.1 spam" : "";
  };
  rig.start_relay();
  rig.send({"spam@fussy.example"}, "app@here.example");
  rig.send({"ham@fussy.example"}, "app@here.example");
  rig.pass();
  CHECK(rig.hosts["fussy.example"].mails.size() == 1);
  CHECK(rig.lines_with("kind=failed") == 1);
  CHECK(rig.lines_with("smarthost paused") == 0);
}

TEST_CASE(
    "destinations: a network through which nobody can be reached is told once, and its time does not count") {
  DirectRig rig;
  for (const char* domain : {"one.example", "two.example"})
    rig.hosts[domain].unreachable = rig.failure(domain, mail::FailureKind::port_blocked);
  rig.start_relay();
  rig.send({"a@one.example"});
  rig.send({"b@two.example"});
  rig.pass(24h * 10);
  CHECK(rig.lines_with("smarthost paused") == 11);  // and a reminder a day
  CHECK(rig.lines_with("kind=") == 0);
  CHECK(rig.lines_with("status=deferred") == 0);
  for (const char* domain : {"one.example", "two.example"}) rig.hosts[domain].unreachable.reset();
  rig.pass(10min);
  CHECK(rig.lines_with("smarthost up") == 1);
  CHECK(rig.queued().empty());
}

TEST_CASE("destinations: all of them share the rate of their smarthost") {
  DirectRig rig;
  rig.settings.smarthosts[0].rates = {{3, mail::RateUnit::hour, mail::RateOf::recipients}};
  rig.start_relay();
  for (const char* domain : {"one.example", "two.example", "three.example", "four.example"}) {
    rig.send({cat("a@", domain)});
    rig.pass(1min);
  }
  CHECK(rig.hosts["three.example"].mails.size() == 1);
  CHECK(rig.hosts["four.example"].dials == 0);
  CHECK(rig.relay->status().contains("direct: the rate 3 recipients/h is used up"));
  CHECK(rig.relay->report().smarthosts.at(0).trouble.starts_with("the rate 3 recipients/h is used up"));
  rig.pass(1h);
  CHECK(rig.hosts["four.example"].mails.size() == 1);
  CHECK(rig.lines_with("status=deferred") == 0);
  CHECK(rig.queued().empty());
}

TEST_CASE("destinations: a smarthost behind them takes what they do not") {
  DirectRig rig;
  rig.settings.smarthosts.push_back(some_smarthost("main"));
  rig.hosts["dead.example"].is_down = true;
  rig.start_relay();
  rig.send({"a@dead.example", "b@live.example"});
  rig.pass();
  CHECK(rig.hosts["live.example"].mails.size() == 1);
  CHECK(rig.main().mails.size() == 1);
  CHECK(rig.queued().empty());
}

TEST_CASE("destinations: lanes are bounded, go when they are idle, and nobody is forgotten meanwhile") {
  DirectRig rig;
  rig.start_relay();
  const std::size_t many = Destinations::kMostLanes + 50;
  rig.send_to_domains(many);
  rig.pass(10s);
  CHECK(rig.arrived_at_domains(many) == many);
  CHECK(rig.queued().empty());
  rig.pass(5min);
  CHECK(rig.relay->report().smarthosts.front().connections == 0);
}

TEST_CASE("destinations: a lane whose connection only waits for more mail gives way at once") {
  DirectRig rig;
  rig.start_relay();
  rig.send_to_domains(Destinations::kMostLanes);
  rig.pass(1s);
  REQUIRE(rig.relay->report().smarthosts.front().connections == Destinations::kMostLanes);
  rig.send({"a@one.example"});
  rig.pass(100ms);
  CHECK(rig.hosts["one.example"].mails.size() == 1);
}

TEST_CASE("destinations: those that wait for a lane get one as others fail, and after a reload") {
  DirectRig rig;
  const std::size_t many = Destinations::kMostLanes + 50;
  for (std::size_t i = 0; i < Destinations::kMostLanes; ++i) rig.hosts[numbered_domain(i)].is_down = true;
  rig.start_relay();
  rig.send_to_domains(many);
  rig.pass(1s);
  CHECK(rig.arrived_at_domains(many) == 50);
  for (std::size_t i = 0; i < Destinations::kMostLanes; ++i) rig.hosts[numbered_domain(i)].is_down = false;
  rig.reload();
  rig.pass(2s);
  CHECK(rig.arrived_at_domains(many) == many);
  CHECK(rig.queued().empty());
}

TEST_CASE("destinations: no memory is left of a lane that is gone") {
  DirectRig rig;
  NoWork no_work;
  std::size_t lanes = 0;
  Routes routes(rig.loop, rig.log);
  routes.configure(rig.settings, {}, [&](const mail::Smarthost& destination) {
    return std::allocate_shared<smtpc::Lane>(
        CountingAllocator<smtpc::Lane>(lanes), rig.loop, rig.hosts, no_work, no_work,
        smtpc::LaneOptions{destination, "app1.example.com", "token", true, nullptr});
  });
  for (std::size_t i = 0; i < 10; ++i)
    routes.furnish(routes.table().find("a@here.example", cat("b@", numbered_domain(i))));
  CHECK(lanes == 10);
  routes.sweep();
  CHECK(lanes == 0);
}
