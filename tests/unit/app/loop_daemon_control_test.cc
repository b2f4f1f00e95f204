// SPDX-License-Identifier: MIT
// What the control socket's threads ask of a relay, in simulated time: while somebody asks, the clock stands.
#include "daemon/app/loop_daemon_control.h"

#include <thread>

#include "daemon/mail/queue_state.h"
#include "tests/unit/relay/relay_rig.h"

using namespace hikyaku;
using namespace hikyaku::app;
using namespace hikyaku::test;
using app::LoopDaemonControl;
using control::DaemonControl;
using control::Rights;
using mail::RecipientState;

namespace {

constexpr control::Rights kOperator{0, true};
constexpr control::Rights kOneUser{1000, false};

struct ServedRig : RelayRig {
  std::optional<LoopDaemonControl> daemon;
  control::ReloadReport reload_report;
  std::string spool_trouble;
  metrics::Metrics metrics;
  metrics::Counts counts;
  oauth::HttpsEndpoint endpoint;
  oauth::Tokens tokens{{.loop = loop, .log = log, .endpoint = endpoint, .on_token = {}}};

  ServedRig() {
    settings.queue.retry.first = 1h;
    start_relay();
    send();
    pass();  // the smarthost is proven
    main().mails.clear();
    daemon.emplace(app::LoopDaemonControlParts{
        .loop = loop,
        .relay = *relay,
        .source = *spool,
        .log = log,
        .spool_trouble = [this]() -> Task<std::string> { co_return spool_trouble; },
        .spool_use = [this] { return spool->use(); },
        .counts = [this] { return counts; },
        .warnings = [] { return std::vector<std::string>{"a warning"}; },
        .metrics = metrics,
        .tokens = tokens,
        .reload = [this]() -> Task<control::ReloadReport> { co_return reload_report; },
        .reload_aliases = []() -> Task<Result<std::size_t, std::string>> { co_return 3U; }});
  }
  ~ServedRig() { loop.run(daemon->close()); }

  // What `question` gives on a thread of its own.
  template <class T>
  T ask(const std::function<T(control::DaemonControl&)>& question) {
    io::Loop::OutsideWork somebody_asks(loop);
    io::Event answered(loop);
    std::optional<T> answer;
    std::thread thread([&] {
      T given = question(*daemon);
      loop.post([&, given = std::move(given)] {
        answer = given;
        answered.notify();
      });
    });
    loop.run([](io::Event& event, std::optional<T>& value) -> Task<void> {
      while (!value) co_await event.wait({});
    }(answered, answer));
    thread.join();
    return std::move(*answer);
  }

  mail::MailId send_as(std::optional<std::uint32_t> uid, std::string to = "user@example.net") {
    mail::Envelope envelope;
    envelope.sender = "app@example.com";
    envelope.uid = uid;
    envelope.recipients.push_back({std::move(to), {}, {}});
    auto id = loop.run(accepting("Subject: test\r\n\r\nbody\r\n", std::move(envelope)));
    REQUIRE(id);
    return *id;
  }
  void refuse_for_now(bool does) {
    main().answer = [does](const std::string& command) {
      return does && command.starts_with("RCPT") ? "450 4.2.0 later" : "";
    };
  }
  std::optional<control::RetryReport> retry(std::vector<mail::MailId> ids, control::Rights rights) {
    return ask<std::optional<control::RetryReport>>(
        [&](control::DaemonControl& asked) { return asked.retry(ids, rights, "anna"); });
  }
  control::DaemonControl::OutcomeReport outcome(mail::MailId id, std::optional<relay::MailOutcome> seen,
                                                control::Rights rights, Duration wait) {
    auto report = ask<std::optional<control::DaemonControl::OutcomeReport>>(
        [&](control::DaemonControl& asked) { return asked.outcome(id, seen, rights, wait); });
    REQUIRE(report);
    return *report;
  }
};

}  // namespace

TEST_CASE("daemon: named mails are tried again at once, those of others and unknown ones are not") {
  ServedRig rig;
  rig.refuse_for_now(true);
  auto ours = rig.send_as(1000);
  auto theirs = rig.send_as(1001);
  rig.pass();
  rig.refuse_for_now(false);
  auto report = rig.retry({ours, theirs, mail::MailId{12345}}, kOneUser);
  REQUIRE(report);
  CHECK(report->retried == std::vector{ours});
  CHECK(report->unknown == std::vector{theirs, mail::MailId{12345}});
  CHECK(report->held.empty());
  rig.pass();
  CHECK(rig.main().mails.size() == 1);
  report = rig.retry({ours, theirs}, kOperator);
  REQUIRE(report);
  CHECK(report->retried == std::vector{theirs});
  CHECK(report->unknown == std::vector{ours});  // it has gone
  rig.pass();
  CHECK(rig.main().mails.size() == 2);
}

TEST_CASE("daemon: what was said before a mail was deferred, and since when such things are known") {
  ServedRig rig;
  const WallTime started = rig.clock.wall();
  rig.refuse_for_now(true);
  const auto waits = rig.send_as(1000);
  rig.pass();
  auto dialogue = [&](mail::MailId id) {
    auto report = rig.ask<std::optional<control::DaemonControl::DialogueReport>>(
        [&](control::DaemonControl& daemon) { return daemon.dialogue(id); });
    REQUIRE(report);
    CHECK(report->since == started);
    return report->dialogue;
  };
  REQUIRE(dialogue(waits) != nullptr);
  const auto& lines = dialogue(waits)->lines;
  CHECK(std::ranges::count(lines, "450 4.2.0 later", &mail::Dialogue::Line::text) == 1);
  CHECK(dialogue(mail::MailId{12345}) == nullptr);
}

TEST_CASE("daemon: metrics know the age of the oldest mail, and health the spool") {
  ServedRig rig;
  auto asked = [&] {
    auto text =
        rig.ask<std::optional<std::string>>([](control::DaemonControl& daemon) { return daemon.metrics(); });
    REQUIRE(text);
    return *text;
  };
  CHECK(asked().find("\nhikyaku_queue_oldest_seconds 0\n") != std::string::npos);
  rig.counts.drops_taken = 3;
  CHECK(asked().find("\nhikyaku_drops_taken_total 3\n") != std::string::npos);
  rig.refuse_for_now(true);
  auto first = rig.send_as(1000);
  rig.pass(10min);
  rig.send_as(1000);
  CHECK(asked().find("\nhikyaku_queue_oldest_seconds 600\n") != std::string::npos);
  CHECK(asked().find("\nhikyaku_queue_oldest_seconds 600\n") != std::string::npos);
  rig.refuse_for_now(false);
  rig.retry({first}, kOperator);
  rig.pass();
  CHECK(asked().find("\nhikyaku_queue_oldest_seconds 1\n") != std::string::npos);
  auto takes_mail = [&] {
    return rig.ask<std::optional<std::string>>(
               [](control::DaemonControl& daemon) { return daemon.takes_no_mail(); }) == "";
  };
  CHECK(takes_mail() == true);
  rig.spool_trouble = "the disk is full";
  CHECK(takes_mail() == false);
}

TEST_CASE("daemon: held mail waits for a decision, whoever asks for another attempt") {
  ServedRig rig;
  rig.main().answer = [](const std::string& command) {
    return command.starts_with("RCPT") ? "550 5.1.1 nobody" : "";
  };
  auto held = rig.send({"user@example.net"}, "");
  rig.pass();
  auto report = rig.retry({held}, kOperator);
  REQUIRE(report);
  CHECK(report->held == std::vector{held});
  CHECK(report->retried.empty());
}

TEST_CASE("daemon: all that waits is tried again at once, and counted") {
  ServedRig rig;
  rig.refuse_for_now(true);
  for (int i = 0; i < 3; ++i) rig.send_as(std::nullopt);
  rig.pass();
  rig.refuse_for_now(false);
  CHECK(rig.ask<std::optional<std::size_t>>(
            [](control::DaemonControl& daemon) { return daemon.retry_all("anna"); }) == 3);
  rig.pass();
  CHECK(rig.main().mails.size() == 3);
  CHECK(rig.lines_with("all mail is due now") == 1);
}

TEST_CASE("daemon: a paused smarthost is looked at again for the operator, not for anybody") {
  ServedRig rig;
  rig.main().is_down = true;
  auto id = rig.send_as(1000);
  rig.pass(10min);
  unsigned before = rig.main().dials;
  REQUIRE(rig.retry({id}, kOneUser));
  CHECK(rig.ask<bool>(
      [&](control::DaemonControl& daemon) { return daemon.retry_known({id}, kOneUser, "anna"); }));
  rig.pass(1ms);
  CHECK(rig.main().dials == before);
  rig.main().is_down = false;
  REQUIRE(rig.retry({id}, kOperator));
  rig.pass(100ms);
  CHECK(rig.main().mails.size() == 1);
}

TEST_CASE("daemon: what became of a mail is told while it waits, when it changes, and after it has gone") {
  ServedRig rig;
  rig.refuse_for_now(true);
  auto id = rig.send_as(1000);
  rig.pass();
  auto first = rig.outcome(id, std::nullopt, kOneUser, 0s).outcome;
  REQUIRE(first);
  CHECK(first->attempts == 1);
  CHECK_FALSE(first->is_settled());
  CHECK(first->recipients.at(0).progress.last_reply == "450 4.2.0 later");
  CHECK_FALSE(rig.outcome(id, std::nullopt, {1001, false}, 0s).outcome);
  rig.refuse_for_now(false);
  rig.relay->retry({id});
  auto last = rig.outcome(id, first, kOneUser, 1h).outcome;  // waits for it, and not for the hour
  REQUIRE(last);
  CHECK(last->is_over);
  CHECK(last->recipients.at(0).progress.state == RecipientState::delivered);
  CHECK(rig.outcome(id, std::nullopt, kOperator, 0s).outcome == last);
  CHECK(rig.outcome(id, first, kOperator, 1h).outcome == last);
  CHECK_FALSE(rig.outcome(mail::MailId{12345}, std::nullopt, kOperator, 1h).outcome);
}

TEST_CASE("daemon: a mail that nobody has tried yet has an outcome too") {
  ServedRig rig;
  rig.pass(10s);  // no connection is left
  rig.main().is_down = true;
  rig.send_as(std::nullopt);
  rig.pass();
  auto id = rig.send_as(1000);
  auto outcome = rig.outcome(id, std::nullopt, kOneUser, 0s).outcome;
  REQUIRE(outcome);
  CHECK(outcome->attempts == 0);
  CHECK(outcome->uid == 1000);
  CHECK_FALSE(outcome->is_over);
}

TEST_CASE("daemon: the status counts mails and names what keeps a smarthost") {
  ServedRig rig;
  rig.refuse_for_now(true);
  rig.send_as(std::nullopt);
  rig.pass();
  auto ask = [&] {
    return rig.ask<std::optional<relay::StatusReport>>(
        [](control::DaemonControl& daemon) { return daemon.status(); });
  };
  auto up = ask();
  REQUIRE(up);
  CHECK(up->deferred == 1);
  CHECK(up->active == 0);
  CHECK(up->held == 0);
  CHECK(up->spool_trouble.empty());
  CHECK(up->warnings == std::vector<std::string>{"a warning"});
  CHECK(up->last_delivery);
  CHECK(up->uptime >= 1s);
  CHECK(up->version == HIKYAKU_VERSION);
  REQUIRE(up->smarthosts.size() == 1);
  CHECK(up->smarthosts[0].name == "main");
  CHECK(up->smarthosts[0].is_proven);
  CHECK(up->smarthosts[0].trouble.empty());
  rig.pass(10s);
  rig.main().is_down = true;
  rig.send_as(std::nullopt);
  rig.pass();
  rig.spool_trouble = "the disk is full: make room";
  auto down = ask();
  REQUIRE(down);
  CHECK(down->spool_trouble == "the disk is full: make room");
  CHECK(down->active == 0);
  CHECK(down->deferred == 2);  // behind a paused smarthost nothing is active
  REQUIRE(down->smarthosts[0].since);
  CHECK(*down->smarthosts[0].since <= rig.clock.wall());
  CHECK(down->smarthosts[0].public_trouble ==
        "the smarthost cannot be reached, or does not answer; it is tried again by itself");
  CHECK_FALSE(down->smarthosts[0].trouble.empty());
  REQUIRE(down->smarthosts[0].next_probe);
  CHECK(*down->smarthosts[0].next_probe > rig.clock.wall());
}

TEST_CASE(
    "daemon: after a retry of everything the status, and what is told of a mail, agree behind a paused "
    "smarthost") {
  ServedRig rig;
  rig.refuse_for_now(true);
  auto id = rig.send_as(1000);
  rig.pass();
  auto report = rig.outcome(id, std::nullopt, kOneUser, 0s);
  REQUIRE(report.outcome);
  mail::Standing standing{false, report.outcome->attempts, report.outcome->next_attempt,
                          report.outcome->written};
  auto now = relay::route_state_of(report.status, rig.clock.wall());
  CHECK(mail::state_of(standing, now, true).waits_for == mail::WaitsFor::time);
  rig.pass(10s);
  rig.main().is_down = true;
  rig.send_as(std::nullopt);
  rig.pass(1min);
  rig.relay->retry_all();
  relay::StatusReport status = rig.relay->report();
  CHECK(status.released == rig.clock.wall());
  CHECK(status.deferred == 2);
  CHECK(status.smarthosts[0].next_probe == rig.clock.wall());  // it is being looked at
  auto then = relay::route_state_of(status, rig.clock.wall());
  CHECK(mail::state_of(standing, then, true).waits_for == mail::WaitsFor::smarthost);
}

TEST_CASE("daemon: a reload's report goes to who asked") {
  ServedRig rig;
  rig.reload_report.problems = {"wrong"};
  auto report = rig.ask<std::optional<control::ReloadReport>>(
      [](control::DaemonControl& daemon) { return daemon.reload(); });
  REQUIRE(report);
  CHECK(report->problems == std::vector<std::string>{"wrong"});
  auto aliases = rig.ask<std::optional<Result<std::size_t, std::string>>>(
      [](control::DaemonControl& daemon) { return daemon.reload_aliases(); });
  REQUIRE(aliases);
  CHECK(*aliases == 3);
}

TEST_CASE("daemon: once closed it answers nobody") {
  ServedRig rig;
  rig.loop.run(rig.daemon->close());
  CHECK_FALSE(rig.daemon->status());
  CHECK_FALSE(rig.daemon->retry_all("anna"));
  CHECK_FALSE(rig.daemon->retry_known({mail::MailId{1}}, kOperator, "anna"));
}

TEST_CASE("daemon: tokens of a smarthost without `oauth` are nobody's") {
  ServedRig rig;
  using Done = std::optional<Result<void, std::string>>;
  auto done = rig.ask<Done>([](control::DaemonControl& daemon) { return daemon.oauth_refresh("main"); });
  REQUIRE(done);
  CHECK(done->error() == "no smarthost with `oauth` is called main");
  using Reports = std::optional<std::vector<std::pair<std::string, mail::OAuthReport>>>;
  CHECK(rig.ask<Reports>([](control::DaemonControl& daemon) { return daemon.oauth_reports(); })->empty());
}
