// SPDX-License-Identifier: MIT
// `hikyaku drain` from the daemon's side, in simulated time: stages, ends, and whether mail is taken.
#include "daemon/app/drain.h"

#include "daemon/app/sendmail_services.h"
#include "smtpd/acceptor.h"
#include "tests/support/peers/smtpd_rig.h"
#include "tests/unit/relay/relay_rig.h"

using namespace hikyaku;
using namespace hikyaku::app;
using namespace hikyaku::test;

namespace {

using Stage = relay::DrainReport::Stage;
using Verb = control::DrainOrder::Verb;

smtpd::AcceptorOptions local_options() {
  auto session = std::make_shared<smtpd::SessionOptions>();
  session->hostname = "app1.example.com";
  session->token = "t0ken";
  return {{.allow = {*Network::parse("127.0.0.0/8")}}, std::move(session), nullptr};
}

struct DrainRig : RelayRig {
  bool is_busy = false;  // the smarthost says 450 to every recipient
  RecordingObserver observer;
  io::Nursery background{loop};
  SendmailServices sendmail{loop, log, background, std::nullopt};
  smtpd::Acceptor acceptor{loop, *spool, observer, local_options()};
  std::optional<Drain> drain;

  DrainRig() {
    start_relay();
    send();
    pass();
    main().mails.clear();
    main().answer = [this](const std::string& command) {
      return is_busy && command.starts_with("RCPT") ? "450 4.2.0 later" : "";
    };
    drain.emplace(DrainParts{.loop = loop,
                             .log = log,
                             .relay = *relay,
                             .acceptor = acceptor,
                             .sendmail = sendmail,
                             .credentials = []() -> Task<Result<config::Authinfo, config::Problems>> {
                               co_return config::Authinfo();
                             },
                             .grace = [] { return Duration(10s); }});
  }
  ~DrainRig() {
    loop.run(drain->stop());
    loop.run(acceptor.stop(0s));
    stop_relay();
  }
  Result<relay::DrainReport, std::string> obey(Verb verb, std::string to = "") {
    return loop.run(drain->obey({verb, std::move(to), "anna"}));
  }
  void begin(std::string to = "") { REQUIRE(obey(Verb::begin, std::move(to))); }
  // Somebody follows it for so long.
  relay::DrainReport follow(Duration time = 10s) {
    for (const Instant end = loop.now() + time; loop.now() < end; pass(500ms)) {
      auto report = obey(Verb::follow);
      REQUIRE(report);
      if (report->stage == Stage::drained || report->stage == Stage::left_over) return *report;
    }
    return *drain->report();
  }
  std::string greeting() {
    io::MemoryPairOptions wire;
    wire.second_address = Endpoint::parse("127.0.0.1:4000");
    io::MemoryPair pair = io::make_memory_pair(loop, wire);
    acceptor.take(std::move(pair.first));
    TestClient client(loop, std::move(pair.second));
    return loop.run(first_line(client));
  }
  static Task<std::string> first_line(TestClient& client) {
    std::string reply = co_await client.reply();
    co_return reply.substr(0, 9);
  }
};

constexpr const char* kPeer = "smtp://relay2.example.com:2525";

}  // namespace

TEST_CASE("drain: everything is tried once, and an empty queue leaves the daemon closed until it is undone") {
  DrainRig rig;
  rig.is_busy = true;
  rig.send();
  rig.pass();
  CHECK(rig.greeting() == "220 app1.");
  rig.is_busy = false;
  rig.begin();
  CHECK(rig.drain->is_closed());
  CHECK(rig.greeting() == "421 4.3.2");
  CHECK(rig.follow().stage == Stage::drained);
  CHECK(rig.main().mails.size() == 1);
  rig.pass(2h);
  CHECK(rig.drain->is_closed());
  CHECK(rig.greeting() == "421 4.3.2");
  REQUIRE(rig.obey(Verb::end));
  CHECK_FALSE(rig.drain->is_closed());
  CHECK(rig.greeting() == "220 app1.");
  CHECK(rig.lines_with("drained: the queue is empty") == 1);
}

TEST_CASE("drain: without a peer, what is refused for now is left, and mail is taken again") {
  DrainRig rig;
  rig.is_busy = true;
  rig.send();
  rig.begin();
  const auto report = rig.follow();
  CHECK(report.stage == Stage::left_over);
  CHECK(report.left == 1);
  CHECK(rig.greeting() == "220 app1.");
  rig.is_busy = false;
  rig.pass(1s);
  CHECK(rig.main().mails.size() == 1);
}

TEST_CASE("drain: the peer gets what the smarthost does not take, and only that") {
  DrainRig rig;
  rig.main().answer = [](const std::string& command) {
    return command == "RCPT TO:<late@example.net>" ? "450 4.2.0 later" : "";
  };
  rig.send({"user@example.net"});
  rig.send({"late@example.net"});
  rig.begin(kPeer);
  CHECK(rig.drain->report()->to == "relay2.example.com:2525");
  CHECK(rig.follow(1min).stage == Stage::drained);
  CHECK(rig.main().mails.size() == 1);
  REQUIRE(rig.hosts["drain"].mails.size() == 1);
  CHECK(rig.hosts["drain"].mails[0].recipients == std::vector<std::string>{"late@example.net"});
}

TEST_CASE("drain: a peer that takes it hears since when a mail is queued, and nobody else does") {
  for (const bool takes_it : {true, false}) {
    CAPTURE(takes_it);
    std::vector<std::string> heard;
    DrainRig rig;
    const std::string offered = "250-PIPELINING\r\n250-XHIKYAKU\r\n250 ENHANCEDSTATUSCODES\r\n";
    rig.main().keywords = offered;
    auto hear = [&heard](const std::string& command) {
      if (command.starts_with("MAIL")) heard.push_back(command);
      return "";
    };
    if (takes_it) rig.hosts["drain"].keywords = offered;
    rig.hosts["drain"].answer = hear;
    rig.main().answer = [hear](const std::string& command) {
      hear(command);
      return command.starts_with("RCPT") ? "450 4.2.0 later" : "";
    };
    const auto arrival = std::to_string(rig.clock.wall().time_since_epoch().count());
    rig.send();
    rig.pass(2h);
    const std::size_t before = heard.size();
    rig.begin(kPeer);
    CHECK(rig.follow(1min).stage == Stage::drained);
    REQUIRE(heard.size() == before + 2);  // the round, and the peer
    CHECK(std::ranges::all_of(heard.begin(), heard.end() - 1, [](const std::string& command) {
      return command == "MAIL FROM:<app@example.com>";
    }));
    const auto at = heard.back().find(" XHIKYAKU=");
    CHECK((at != std::string::npos) == takes_it);
    if (!takes_it) continue;
    const auto handover = mail::parse_handover(std::string_view(heard.back()).substr(at + 10));
    REQUIRE(handover);
    CHECK(std::to_string(handover->arrival.time_since_epoch().count()) == arrival);
    CHECK(handover->waited >= 2h);
    CHECK(handover->attempts == before + 1);
  }
}

TEST_CASE("drain: held mail stays, and the drain ends without success") {
  DrainRig rig;
  rig.is_busy = true;
  const auto id = rig.send();
  rig.pass();
  rig.loop.run(rig.relay->steering().apply({id}, {.decision = relay::Decision::hold, .by = "anna"}));
  rig.send();
  rig.begin(kPeer);
  const auto report = rig.follow(1min);
  CHECK(report.stage == Stage::left_over);
  CHECK(report.held == 1);
  CHECK(report.left == 0);
  CHECK(rig.hosts["drain"].mails.size() == 1);
}

TEST_CASE("drain: interrupted while the peer is down, mail goes to the own smarthosts again") {
  DrainRig rig;
  rig.is_busy = true;
  rig.hosts["drain"].is_down = true;
  rig.send();
  rig.begin(kPeer);
  CHECK(rig.follow(1h).stage == Stage::handing_over);
  rig.is_busy = false;
  const auto ended = rig.obey(Verb::end);
  REQUIRE(ended);
  CHECK(ended->stage == Stage::left_over);
  CHECK(ended->why == "ended by anna");
  rig.pass();
  CHECK(rig.main().mails.size() == 1);
  CHECK(rig.relay->queued() == 0);
  CHECK(rig.greeting() == "220 app1.");
}

TEST_CASE("drain: nobody who asks for a minute ends it") {
  DrainRig rig;
  rig.is_busy = true;
  rig.hosts["drain"].is_down = true;
  rig.send();
  rig.begin(kPeer);
  rig.pass(kDrainLease - 5s);
  CHECK(rig.drain->is_closed());
  CHECK(rig.follow(5s).stage == Stage::handing_over);
  rig.pass(kDrainLease + 1s);
  CHECK_FALSE(rig.drain->is_closed());
  CHECK(rig.lines_with("nobody asks about it any more") == 1);
}

TEST_CASE("drain: a daemon that stops does not take mail again") {
  DrainRig rig;
  rig.is_busy = true;
  rig.hosts["drain"].is_down = true;
  rig.send();
  rig.begin(kPeer);
  rig.pass();
  rig.loop.run(rig.drain->stop());
  CHECK(rig.drain->is_closed());
  CHECK(rig.greeting() == "421 4.3.2");
}

TEST_CASE("drain: only one at a time, and only to a server") {
  DrainRig rig;
  CHECK(rig.obey(Verb::follow).error() == "there is no drain under way");
  CHECK(rig.obey(Verb::begin, "mx:").error() == "the peer's URL: must be one server: `mx:` stands for many");
  CHECK(rig.obey(Verb::begin, "http://x").error().starts_with("the peer's URL: must be "));
  CHECK_FALSE(rig.drain->is_closed());
  rig.is_busy = true;
  rig.hosts["drain"].is_down = true;
  rig.send();
  rig.begin(kPeer);
  CHECK(rig.obey(Verb::begin).error() == "a drain is under way already; end it first with --undo");
}
