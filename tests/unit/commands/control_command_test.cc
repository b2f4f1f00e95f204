// SPDX-License-Identifier: MIT
// `hikyaku status`, `reload` and `queue retry`, against the real socket and a daemon that is none.
#include "daemon/base/text.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/control_client.h"
#include "daemon/commands/daemon_answers.h"
#include "tests/unit/control/control_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::commands;
using namespace hikyaku::control;

namespace {

struct CommandRig : ControlRig {
  bool without_socket = false;  // the configuration says where it is

  Ran ask(std::vector<std::string> arguments) {
    if (!without_socket) arguments.insert(arguments.end(), {"--socket", path});
    Captured captured(place.path());
    int exit = static_cast<int>(understand_command_line(std::move(arguments))());
    return {exit, captured.out(), captured.err()};
  }
};

mail::MailId id(const char* text) { return *mail::parse_mail_id(text); }

}  // namespace

TEST_CASE("hikyaku status: a few lines for people, the daemon's own words for programs") {
  CommandRig rig;
  rig.daemon.status_report.version = "1.2";
  rig.daemon.status_report.uptime = 16200s;
  rig.daemon.status_report.deferred = 2;
  rig.daemon.status_report.smarthosts = {
      {"main", "a.example", 587, true, 1, "", std::nullopt},
      {"slow", "b.example", 465, true, 0, "1000 of 1000 messages of this day are used up", std::nullopt},
      {"other", "c.example", 25, false, 0, "nobody \x1b[2Jlistens", rig.clock.wall()}};
  rig.daemon.status_report.warnings = {"there is no alias for root"};
  Ran ran = rig.ask({"status"});
  CHECK(ran.exit == 1);
  CHECK(ran.out ==
        "hikyakud 1.2, up for 4h30m\n"
        "queue          0 active, 2 waiting, 0 held\n"
        "last delivery  none since the start\n"
        "spool          healthy\n"
        "smarthost      main (a.example:587): up, 1 connection\n"
        "smarthost      slow (b.example:465): 1000 of 1000 messages of this day are used up\n"
        "smarthost      other (c.example:25): backing off until 2026-09-21T14:13:20Z: nobody "
        "\\x1b[2Jlistens\n"
        "warning        there is no alias for root\n");
  rig.daemon.status_report.spool_trouble = "the disk of /spool is full: make room on it";
  CHECK(
      rig.ask({"status"}).out.find("spool          failing: the disk of /spool is full: make room on it\n") !=
      std::string::npos);
  Ran json = rig.ask({"status", "--json"});
  CHECK(json.exit == 1);
  CHECK(parse_json(json.out)->find("queue")->find("deferred")->whole_number() == 2);
  CHECK(status_text(*parse_json("{}")).find("hikyakud ") == 0);
  CHECK(status_text(*parse_json("[]")).find("hikyakud ") == 0);
}

TEST_CASE(
    "hikyaku status --nagios: a line for monitoring with its data, then those for people, and four codes") {
  CommandRig rig;
  rig.daemon.status_report.version = "1.2";
  rig.daemon.status_report.active = 1;
  rig.daemon.status_report.deferred = 2;
  rig.daemon.status_report.smarthosts = {{"main", "a.example", 587, true, 1, "", std::nullopt},
                                         {"spare", "b.example", 465, true, 0, "", std::nullopt}};
  const auto well = rig.daemon.status_report;
  auto first_line = [&](int exit) {
    Ran ran = rig.ask({"status", "--nagios"});
    CHECK(ran.exit == exit);
    CHECK(ran.err.empty());
    return ran.out.substr(0, ran.out.find('\n'));
  };
  CHECK(first_line(0) ==
        "HIKYAKU OK - 3 mails queued | active=1;;;0 waiting=2;;;0 held=0;;;0 failed_last_day=0;;;0 "
        "paused=0;;;0 smarthosts=2;;;0");
  CHECK(rig.ask({"status", "--nagios"}).out.find("\nqueue          1 active, 2 waiting, 0 held\n") !=
        std::string::npos);
  auto pause = [&](std::size_t which) {
    rig.daemon.status_report.smarthosts[which].next_probe = rig.clock.wall();
    rig.daemon.status_report.smarthosts[which].trouble = "a|b";
  };
  pause(0);
  CHECK(first_line(1).starts_with("HIKYAKU WARNING - 1 of 2 smarthosts paused: main; 3 mails queued | "));
  CHECK(std::ranges::count(rig.ask({"status", "--nagios"}).out, '|') == 1);
  pause(1);
  CHECK(first_line(2).starts_with("HIKYAKU CRITICAL - 2 of 2 smarthosts paused: main, spare; 3 mails"));
  rig.daemon.status_report = well;
  rig.daemon.status_report.held = 1;
  CHECK(first_line(1).starts_with("HIKYAKU WARNING - 4 mails queued, 1 held | "));
  rig.daemon.status_report.spool_trouble = "the disk is full";
  CHECK(first_line(2).starts_with("HIKYAKU CRITICAL - the spool takes no mail: the disk is full; 4 mails"));
}

TEST_CASE("hikyaku status --nagios: no daemon is critical, and what only the asker does wrong unknown") {
  CommandRig rig;
  rig.path = rig.place.file("nobody.sock");
  Ran none = rig.ask({"status", "--nagios"});
  CHECK(none.exit == 2);
  CHECK(none.out.starts_with("HIKYAKU CRITICAL - "));
  CHECK(none.out.find("hikyakud is not running") != std::string::npos);
  rig.without_socket = true;
  Ran lost = rig.ask({"status", "--nagios", "-c", rig.place.file("no.yaml")});
  CHECK(lost.exit == 3);
  CHECK(lost.out.starts_with("HIKYAKU UNKNOWN - "));
  CHECK(rig.ask({"status", "--nagios", "--json"}).exit == 64);
}

TEST_CASE("hikyaku status: --verbose adds what was said when a smarthost failed last") {
  CommandRig rig;
  const auto said = std::make_shared<const mail::Dialogue>(
      mail::Dialogue{.began = rig.clock.wall(),
                     .smarthost = "main",
                     .host = "a.example",
                     .port = 587,
                     .address = "192.0.2.1:587",
                     .failure = "it refuses us",
                     .lines = {{2ms, mail::Speaker::server, "554 go away"}}});
  rig.daemon.status_report.smarthosts = {{"main", "a.example", 587, true, 0, "", std::nullopt},
                                         {"other", "b.example", 25, true, 0, "", std::nullopt}};
  rig.daemon.status_report.smarthosts[0].last_failure = said;
  CHECK(rig.ask({"status"}).out.find("554") == std::string::npos);
  Ran verbose = rig.ask({"status", "--verbose"});
  CHECK(verbose.exit == 0);
  CHECK(verbose.out.find("smarthost      main (a.example:587): up, 0 connections\n"
                         "  its last session that failed\n"
                         "  2026-09-21T14:13:20Z with main, a.example port 587 (192.0.2.1:587)\n"
                         "    0.002 <- 554 go away\n"
                         "  failed: it refuses us\n"
                         "smarthost      other (b.example:25): up, 0 connections\n"
                         "  no session has failed since the start\n") != std::string::npos);
  CHECK(rig.ask({"status", "-v", "--json"}).out.find("\"last_failure\":{") != std::string::npos);
}

TEST_CASE("hikyaku health: a line of words, and 0 for yes and 1 for no") {
  CommandRig rig;
  Ran ready = rig.ask({"health", "--ready"});
  CHECK(ready.exit == 0);
  CHECK(ready.out == "ready to take mail\n");
  rig.daemon.spool_takes_mail = false;
  Ran full = rig.ask({"health", "--ready"});
  CHECK(full.exit == 1);
  CHECK(full.out == "the spool takes no new mail; `hikyaku status` says why\n");
  Ran live = rig.ask({"health", "--live"});
  CHECK(live.exit == 0);
  CHECK(live.out == "alive, but the spool takes no new mail\n");
  rig.daemon.answers = false;
  CHECK(rig.ask({"health", "--live"}).exit == 1);
  rig.path = rig.place.file("nobody.sock");
  Ran none = rig.ask({"health", "--live"});
  CHECK(none.exit == 1);
  CHECK(none.out.find("hikyakud is not running") == 0);
  for (auto words : {std::vector<std::string>{"health"}, {"health", "--live", "--ready"}})
    CHECK(rig.ask(words).exit == 64);
}

TEST_CASE("hikyaku status: how many mails failed in the last day") {
  CommandRig rig;
  CHECK(rig.ask({"status"}).out.find("failed") == std::string::npos);
  rig.daemon.status_report.failed = 3;
  Ran ran = rig.ask({"status"});
  CHECK(ran.exit == 0);  // their senders have been told
  CHECK(ran.out.find("\nfailed         3 mails in the last day\n") != std::string::npos);
}

TEST_CASE("hikyaku status: ends with 0 only if nothing waits for the operator, else with 1") {
  CommandRig rig;
  relay::StatusReport well;
  well.deferred = 3;  // they wait for their time, and nobody need do anything
  well.smarthosts = {
      {"main", "a.example", 587, true, 1, "1000 of 1000 messages of this day are used up", {}}};
  rig.daemon.status_report = well;
  CHECK(rig.ask({"status"}).exit == 0);
  CHECK(rig.ask({"status", "--json"}).exit == 0);
  rig.daemon.status_report.smarthosts[0].next_probe = rig.clock.wall();
  CHECK(rig.ask({"status"}).exit == 1);
  rig.daemon.status_report = well;
  rig.daemon.status_report.held = 1;
  CHECK(rig.ask({"status"}).exit == 1);
  rig.daemon.status_report = well;
  rig.daemon.status_report.spool_trouble = "the disk is full";
  CHECK(rig.ask({"status"}).exit == 1);
  rig.daemon.status_report = well;
  rig.daemon.status_report.fleet = mail::FleetReport{
      .nodes = {{.name = "app1", .is_this = true, .mails = 4}}, .mails = 5, .free = 1, .oldest = {}};
  CHECK(rig.ask({"status"}).exit == 0);
  rig.daemon.status_report.fleet->nodes.push_back({.name = "app2", .free_at = rig.clock.wall()});
  Ran away = rig.ask({"status"});
  CHECK(away.exit == 1);
  CHECK(away.out.find(
            "all nodes      5 mails, 1 of them nobody's, 0 held\nnode           app1 (this one): 4 mails, "
            "alive until ") != away.out.npos);
  CHECK(away.out.find("\nnode           app2: 0 mails, away: alive until ") != away.out.npos);
  CHECK(rig.ask({"status", "--nagios"}).out.starts_with("HIKYAKU WARNING - away: app2; "));
  rig.daemon.status_report = well;
  rig.daemon.status_report.warnings = {"root has no alias", "x\n\x1b"};  // on purpose, perhaps
  Ran warned = rig.ask({"status"});
  CHECK(warned.exit == 0);
  CHECK(warned.out.ends_with("warning        root has no alias\nwarning        x\\x0a\\x1b\n"));
}

TEST_CASE("hikyaku setup: what has become of the test mail, and whether all have got it") {
  const auto answer = [](std::string_view text) { return *parse_json(text); };
  const auto all = answer(
      R"({"state":"ended","recipients":[{"address":"a@x.example","status":"delivered","last_reply":"250 ok"}]})");
  CHECK(outcome_text("ID", all) == "ID a@x.example: delivered: 250 ok\n");
  CHECK(has_reached_all(all));
  const auto failed =
      answer(R"({"state":"ended","recipients":[{"address":"a@x.example","status":"failed"}]})");
  CHECK(outcome_text("ID", failed) == "ID a@x.example: failed\n");
  CHECK_FALSE(has_reached_all(failed));
  const auto waiting =
      answer(R"({"state":"deferred","waits_for":"smarthost","reason":"down","recipients":[]})");
  CHECK(outcome_text("ID", waiting) == "ID waits for the smarthost: down\n");
  CHECK_FALSE(has_reached_all(waiting));
}

TEST_CASE("hikyaku reload: says what needs a restart, or what is wrong, a line each") {
  CommandRig rig;
  rig.daemon.reload_report.kept = {"listen", "memory"};
  Ran done = rig.ask({"reload"});
  CHECK(done.exit == 0);
  CHECK(done.out == "reloaded\nneeds a restart to change: listen, memory\n");
  rig.daemon.reload_report.problems = {"a.yaml:1:1: x", "a.yaml:2:1: y"};
  Ran failed = rig.ask({"reload"});
  CHECK(failed.exit == EX_CONFIG);
  CHECK(failed.out.empty());
  CHECK(failed.err == "hikyaku reload: a.yaml:1:1: x\nhikyaku reload: a.yaml:2:1: y\n");
}

TEST_CASE("hikyaku queue retry: mails by id, all, or what fits; 0 only where all of it is tried") {
  CommandRig rig;
  rig.daemon.retry_report.retried = {id("001k0ts4wbcf1")};
  Ran one = rig.ask({"queue", "retry", "001k0ts4wbcf1"});
  CHECK(one.exit == 0);
  CHECK(one.out == "retrying 1 mail\n");
  CHECK(rig.daemon.asked == std::vector{id("001k0ts4wbcf1")});
  rig.daemon.retry_report.held = {id("001k0ts4wbcf2")};
  Ran held = rig.ask({"queue", "retry", "001k0ts4wbcf1", "001k0ts4wbcf2"});
  CHECK(held.exit == EX_UNAVAILABLE);
  CHECK(held.err.find("001k0ts4wbcf2 is held") != std::string::npos);
  rig.daemon.retry_report.unknown = {id("001k0ts4wbcf3")};
  CHECK(rig.ask({"queue", "retry", "001k0ts4wbcf3"}).exit == EX_NOINPUT);
  CHECK(rig.ask({"queue", "retry", "--all"}).out == "retrying 7 mails\n");
  auto waits = rig.accept("x", "a@example.com", "b@example.com");
  CHECK(rig.ask({"queue", "retry", "--from", "a@*"}).out == "retrying 1 mail\n");
  CHECK(rig.daemon.retried.back() == std::vector{waits});
  CHECK(rig.ask({"queue", "--to", "c@*", "retry"}).out == "retrying 0 mails\n");
}

TEST_CASE("hikyaku queue retry: the daemon is asked for exactly what was said") {
  MailSelection words;
  CHECK(selection_body(words).error().kind == Exit::usage);
  words.all = true;
  CHECK(selection_body(words) == R"({"all":true})");
  words.filters["state"] = "deferred";
  CHECK(selection_body(words).error().kind == Exit::usage);
  words.all = false;
  words.filters["from"] = "\"q\"@example.com";
  words.filters["to"] = "*";
  CHECK(selection_body(words) == R"({"from":"\"q\"@example.com","state":"deferred","to":"*"})");
  words.ids = {"x"};
  CHECK(selection_body(words).error().kind == Exit::usage);
  CHECK(selection_body({{"a", "b"}}) == R"({"ids":["a","b"]})");
}

TEST_CASE("hikyaku: a daemon that is not there, or does not answer, is said in words") {
  CommandRig rig;
  CHECK(rig.ask({"queue", "retry", "hello!"}).exit == EX_USAGE);
  CHECK(rig.ask({"queue", "retry"}).exit == EX_USAGE);
  rig.daemon.answers = false;
  Ran busy = rig.ask({"status"});
  CHECK(busy.exit == EX_TEMPFAIL);
  CHECK(busy.err.find("hikyaku status: hikyakud has too much to do") == 0);
  rig.service->stop(std::chrono::milliseconds(0));
  Ran gone = rig.ask({"status"});
  CHECK(gone.exit == EX_TEMPFAIL);
  CHECK(gone.err == "hikyaku status: hikyakud is not running (nothing answers on " + rig.path +
                        "); start it with 'systemctl start hikyaku'\n");
  CHECK(rig.ask({"queue", "retry", "--all"}).exit == EX_TEMPFAIL);
  CHECK(rig.ask({"reload"}).exit == EX_TEMPFAIL);
  auto socket = control::open_control_socket(rig.path, {"no such group", "no such group"});
  control::ControlOptions options{.path = rig.path, .spool_directory = rig.directory(), .group = "adm"};
  rig.service = std::make_unique<control::ControlService>(std::move(options), std::move(socket->listening),
                                                          rig.daemon, rig.real);
}

TEST_CASE("hikyaku: a daemon that is stopped or hangs is noticed and said as such") {
  system::TemporaryDirectory place("hikyaku-test");
  auto socket = control::open_control_socket(place.file("control.sock"), {"no such group", "no such group"});
  REQUIRE(socket);
  auto reply =
      ask_control(place.file("control.sock"), "/v1/status", std::nullopt, {.alive = 20ms, .answer = 20ms});
  REQUIRE_FALSE(reply);
  CHECK(reply.error().kind == Exit::try_again);
  CHECK(reply.error().text == "hikyakud does not respond on " + place.file("control.sock") +
                                  "; if this lasts, restart it with 'systemctl restart hikyaku'");
}

TEST_CASE("hikyaku status: a file that was broken since the daemon read it hides no daemon") {
  CommandRig rig;
  std::string file = rig.place.file("broken.yaml");
  std::ofstream(file) << "smarthsot: smtps://smtp.example.com\nruntime_directory: " << rig.place.path()
                      << "\n";
  rig.without_socket = true;
  Ran status = rig.ask({"status", "-c", file});
  CHECK(status.exit == 0);
  CHECK(status.out.starts_with("hikyakud "));
  CHECK(status.err.starts_with("hikyaku status: " + file + ":1:1: smarthsot: unknown key; did you mean"));
  CHECK(status.err.find("(and 1 more problem); run 'hikyakud --check'. Assuming the daemon's socket is " +
                        rig.path) != std::string::npos);
  CHECK(std::ranges::count(status.err, '\n') == 1);
  Ran reload = rig.ask({"reload", "-c", file});
  CHECK(reload.out == "reloaded\n");
  CHECK(reload.err.empty());  // the daemon itself says what is wrong
  Ran missing = rig.ask({"status", "-c", rig.place.file("nothing.yaml")});
  CHECK(missing.exit == EX_CONFIG);
  CHECK(
      missing.err.find("name the configuration with -c FILE, or the daemon's socket with --socket PATH\n") !=
      std::string::npos);
}

TEST_CASE("hikyaku queue retry: says what became of the mails that were named, or why they still wait") {
  CommandRig rig;
  const char* text = "001k0ts4wbcf1";
  rig.daemon.retry_report.retried = {id(text)};
  relay::MailOutcome before;
  before.id = id(text);
  before.attempts = 1;
  before.recipients = {{"x@example.net", {mail::RecipientState::pending, "451 no \\x1b"}}};
  relay::MailOutcome after = before;
  after.is_over = true;
  after.recipients[0].progress = {mail::RecipientState::delivered, "250 ok"};
  rig.daemon.outcomes = {before, before, after};
  Ran delivered = rig.ask({"queue", "retry", text});
  CHECK(delivered.exit == 0);
  CHECK(delivered.out == "retrying 1 mail\n001k0ts4wbcf1 x@example.net: delivered: 250 ok\n");
  after = before;
  after.attempts = 2;
  after.reason = "says not now";
  rig.daemon.outcomes = {before, before, after};
  Ran again = rig.ask({"queue", "retry", text});
  CHECK(again.exit == EX_TEMPFAIL);
  CHECK(again.out ==
        "retrying 1 mail\n001k0ts4wbcf1 x@example.net: pending: 451 no \\x1b\n"
        "001k0ts4wbcf1 waits for its retry time: says not now\n");
  rig.daemon.outcomes = {before};
  CHECK(rig.ask({"queue", "retry", "--no-wait", text}).exit == 0);
  before.attempts = 0;
  before.recipients[0].progress.last_reply = "";
  rig.daemon.outcomes = {before};
  mail::SmarthostReport paused{"main", "a.example", 587, true, 0, "nobody listens", rig.real.wall() + 1h};
  paused.since = WallTime(1'790'000'000s);
  rig.daemon.status_report.smarthosts = {paused};
  Ran waits = rig.ask({"queue", "retry", text});
  CHECK(waits.exit == EX_TEMPFAIL);
  CHECK(waits.out.find("001k0ts4wbcf1 waits for the smarthost since 2026-09-21T14:13:20Z, next ") !=
        std::string::npos);
  CHECK(waits.out.ends_with(": nobody listens\n"));
}

TEST_CASE("hikyaku queue: says of what is due that a smarthost is paused, or that no daemon runs") {
  CommandRig rig;
  auto mail = rig.accept("x", "a@example.com", "b@example.com");
  std::string file = rig.place.file("hikyaku.yaml");
  std::ofstream(file) << "smarthost: smtps://smtp.example.com\nruntime_directory: " << rig.place.path()
                      << "\nspool: {directory: " << rig.directory() << "}\n";
  rig.without_socket = true;
  CHECK(rig.ask({"queue", "--all", "-c", file}).out.starts_with(to_text(mail) + " active "));
  mail::SmarthostReport paused{"main", "a.example", 587, true, 0, "nobody listens", WallTime(1'790'000'300s)};
  paused.since = WallTime(1'790'000'000s);
  rig.daemon.status_report.smarthosts = {paused};
  Ran list = rig.ask({"queue", "--all", "-c", file});
  CHECK(list.out.starts_with(to_text(mail) + " waiting "));
  CHECK(
      list.out.ends_with(", for the smarthost since 2026-09-21T14:13:20Z, next 2026-09-21T14:18:20Z: nobody "
                         "listens\n"));
  CHECK(rig.ask({"queue", "-c", file}).out.find("1 waiting for the smarthost, next try") !=
        std::string::npos);
  Ran show = rig.ask({"queue", "show", to_text(mail), "-c", file});
  CHECK(show.out.starts_with(to_text(mail) + " waiting\n"));
  CHECK(show.out.find("  waits for     the smarthost since 2026-09-21T14:13:20Z\n"
                      "  next attempt  2026-09-21T14:18:20Z\n"
                      "  why           nobody listens\n") != std::string::npos);
  std::string json = rig.ask({"queue", "--json", "-c", file}).out;
  CHECK(json.find("\"state\":\"deferred\",\"waits_for\":\"smarthost\"") != std::string::npos);
  rig.service->stop(std::chrono::milliseconds(0));
  Ran alone = rig.ask({"queue", "--all", "-c", file});
  CHECK(alone.exit == 0);
  CHECK(alone.out.ends_with(", hikyakud is not running: mail waits until it is started\n"));
  CHECK(alone.err.find("hikyakud is not running") != std::string::npos);
  CHECK(rig.ask({"queue", "--json", "-c", file}).out.find("\"waits_for\":\"daemon\"") != std::string::npos);
}

TEST_CASE("hikyaku queue hold, release, remove, bounce: what became of each mail; 0 only where all is done") {
  CommandRig rig;
  for (auto [verb, words] : {std::pair{"hold", "1 mail held\n"},
                             {"release", "1 mail released\n"},
                             {"remove", "1 mail removed\n"},
                             {"bounce", "1 mail returned\n"}}) {
    Ran ran = rig.ask({"queue", verb, "001k0ts4wbcf1"});
    CHECK(ran.exit == 0);
    CHECK(ran.out == words);
    CHECK(rig.daemon.asked == std::vector{id("001k0ts4wbcf1")});
  }
  rig.daemon.decided = {{id("001k0ts4wbcf1"), relay::Decided::Result::unchanged}};
  CHECK(rig.ask({"queue", "hold", "001k0ts4wbcf1"}).out == "0 mails held\n1 mail held already\n");
  rig.daemon.decided = {{id("001k0ts4wbcf1"), relay::Decided::Result::under_way}};
  Ran busy = rig.ask({"queue", "remove", "001k0ts4wbcf1"});
  CHECK(busy.exit == EX_TEMPFAIL);
  CHECK(busy.err.find("being sent now") != std::string::npos);
  rig.daemon.decided.push_back({id("001k0ts4wbcf2")});
  busy = rig.ask({"queue", "remove", "--yes", "001k0ts4wbcf1", "001k0ts4wbcf2"});
  CHECK(busy.exit == EX_TEMPFAIL);
  CHECK(busy.out == "1 mail removed\n");
  CHECK(busy.err == "hikyaku queue remove: 001k0ts4wbcf1 is being sent now; try again\n");
  rig.daemon.decided = {{id("001k0ts4wbcf1"), relay::Decided::Result::unknown},
                        {id("001k0ts4wbcf2"), relay::Decided::Result::refused, "no \x1b[2Jsender"}};
  Ran refused = rig.ask({"queue", "bounce", "-y", "001k0ts4wbcf1", "001k0ts4wbcf2"});
  CHECK(refused.exit == EX_NOINPUT);
  CHECK(refused.err.find("001k0ts4wbcf2: no \\x1b[2Jsender") != std::string::npos);
  CHECK(refused.err.find("there is no mail 001k0ts4wbcf1") != std::string::npos);
  rig.daemon.answers = false;
  CHECK(rig.ask({"queue", "hold", "001k0ts4wbcf1"}).exit == EX_TEMPFAIL);
  CHECK(rig.ask({"queue", "hold"}).exit == EX_USAGE);
}

TEST_CASE("hikyaku queue remove: nothing that cannot be taken back is done to several mails unasked") {
  CommandRig rig;
  rig.accept("x", "a@example.com", "b@example.com");
  rig.accept("y", "a@example.com", "c@example.com");
  for (const char* verb : {"remove", "bounce"}) {
    rig.daemon.orders.clear();
    Ran ran = rig.ask({"queue", verb, "--all"});  // standard input is no terminal
    CHECK(ran.exit == EX_USAGE);
    CHECK(ran.err.find("this is about 2 mails; add --yes") != std::string::npos);
    CHECK(rig.daemon.orders.empty());
    CHECK(rig.ask({"queue", verb, "--to", "c@*"}).exit == 0);
    CHECK(rig.ask({"queue", verb, "--all", "--yes"}).exit == 0);
    CHECK(rig.daemon.asked.size() == 2);
  }
  CHECK(rig.ask({"queue", "hold", "--all"}).out == "2 mails held\n");
}
