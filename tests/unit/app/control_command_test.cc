// SPDX-License-Identifier: MIT
// `hikyaku status`, `reload` and `queue retry`, against the real socket and a daemon that is none.
#include "daemon/app/queue_retry.h"
#include "daemon/app/status_text.h"
#include "daemon/base/text.h"
#include "tests/unit/app/control_rig.h"

using namespace hikyaku;
using namespace hikyaku::app;

namespace {

struct Rig : ControlRig {
  Ran ask(std::vector<std::string> arguments) {
    CLI::App app("hikyaku");
    Action chosen;
    add_queue_command(app, chosen);
    add_control_commands(app, chosen);
    arguments.insert(arguments.end(), {"--socket", path});
    std::ranges::reverse(arguments);
    app.parse(std::move(arguments));
    Captured captured(place.path());
    int exit = static_cast<int>(chosen());
    return {exit, captured.out(), captured.err()};
  }
};

mail::MailId id(const char* text) { return *mail::parse_mail_id(text); }

}  // namespace

TEST_CASE("hikyaku status: a few lines for people, the daemon's own words for programs") {
  Rig rig;
  rig.desk.status_report.version = "1.2";
  rig.desk.status_report.uptime = 16200s;
  rig.desk.status_report.deferred = 2;
  rig.desk.status_report.smarthosts = {
      {"main", "a.example", 587, true, 1, "", std::nullopt},
      {"slow", "b.example", 465, true, 0, "1000 of 1000 messages of this day are used up", std::nullopt},
      {"other", "c.example", 25, false, 0, "nobody \x1b[2Jlistens", rig.clock.wall()}};
  rig.desk.status_report.warnings = {"there is no alias for root"};
  Ran ran = rig.ask({"status"});
  CHECK(ran.exit == 0);
  CHECK(ran.out ==
        "hikyakud 1.2, up for 4h30m\n"
        "queue          0 active, 2 deferred, 0 held\n"
        "last delivery  none since the start\n"
        "spool          healthy\n"
        "smarthost      main (a.example:587): up, 1 connection\n"
        "smarthost      slow (b.example:465): 1000 of 1000 messages of this day are used up\n"
        "smarthost      other (c.example:25): backing off until 2026-09-21T14:13:20Z: nobody "
        "\\x1b[2Jlistens\n"
        "warning        there is no alias for root\n");
  Ran json = rig.ask({"status", "--json"});
  CHECK(json.exit == 0);
  CHECK(parse_json(json.out)->find("queue")->find("deferred")->whole_number() == 2);
  CHECK(status_text(*parse_json("{}")).find("hikyakud ") == 0);
  CHECK(status_text(*parse_json("[]")).find("hikyakud ") == 0);
}

TEST_CASE("hikyaku reload: says what needs a restart, or what is wrong, a line each") {
  Rig rig;
  rig.desk.reload_report.kept = {"listen", "memory"};
  Ran done = rig.ask({"reload"});
  CHECK(done.exit == 0);
  CHECK(done.out == "reloaded\nneeds a restart to change: listen, memory\n");
  rig.desk.reload_report.problems = {"a.yaml:1:1: x", "a.yaml:2:1: y"};
  Ran failed = rig.ask({"reload"});
  CHECK(failed.exit == EX_DATAERR);
  CHECK(failed.out.empty());
  CHECK(failed.err == "hikyaku reload: a.yaml:1:1: x\nhikyaku reload: a.yaml:2:1: y\n");
}

TEST_CASE("hikyaku queue retry: mails by id, all, or what fits; 0 only where all of it is tried") {
  Rig rig;
  rig.desk.retry_report.retried = {id("001k0ts4wbcf1")};
  Ran one = rig.ask({"queue", "retry", "001k0ts4wbcf1"});
  CHECK(one.exit == 0);
  CHECK(one.out == "1 mail is tried now\n");
  CHECK(rig.desk.asked == std::vector{id("001k0ts4wbcf1")});
  rig.desk.retry_report.held = {id("001k0ts4wbcf2")};
  Ran held = rig.ask({"queue", "retry", "001k0ts4wbcf1", "001k0ts4wbcf2"});
  CHECK(held.exit == EX_UNAVAILABLE);
  CHECK(held.err.find("001k0ts4wbcf2 is held") != std::string::npos);
  rig.desk.retry_report.unknown = {id("001k0ts4wbcf3")};
  CHECK(rig.ask({"queue", "retry", "001k0ts4wbcf3"}).exit == EX_NOINPUT);
  CHECK(rig.ask({"queue", "retry", "--all"}).out == "7 mails are tried now\n");
  auto waits = rig.accept("x", "a@example.com", "b@example.com");
  CHECK(rig.ask({"queue", "retry", "--from", "a@*"}).out == "1 mail is tried now\n");
  CHECK(rig.desk.hurried.back() == std::vector{waits});
  CHECK(rig.ask({"queue", "--to", "c@*", "retry"}).out == "0 mails are tried now\n");
}

TEST_CASE("hikyaku queue retry: the daemon is asked for exactly what was said") {
  RetryWords words;
  CHECK(retry_body(words).error().kind == Exit::usage);
  words.all = true;
  CHECK(retry_body(words) == R"({"all":true})");
  words.state = "deferred";
  CHECK(retry_body(words).error().kind == Exit::usage);
  words.all = false;
  words.from = "\"q\"@example.com";
  words.to = "*";
  CHECK(retry_body(words) == R"({"state":"deferred","from":"\"q\"@example.com","to":"*"})");
  words.ids = {"x"};
  CHECK(retry_body(words).error().kind == Exit::usage);
  CHECK(retry_body({{"a", "b"}, false, "", std::nullopt, std::nullopt}) == R"({"ids":["a","b"]})");
}

TEST_CASE("hikyaku: a daemon that is not there, or does not answer, is said in words") {
  Rig rig;
  CHECK(rig.ask({"queue", "retry", "hello!"}).exit == EX_USAGE);
  CHECK(rig.ask({"queue", "retry"}).exit == EX_USAGE);
  rig.desk.answers = false;
  Ran busy = rig.ask({"status"});
  CHECK(busy.exit == EX_TEMPFAIL);
  CHECK(busy.err.find("hikyaku status: hikyakud has too much to do") == 0);
  rig.service->stop(std::chrono::milliseconds(0));
  Ran gone = rig.ask({"status"});
  CHECK(gone.exit == EX_UNAVAILABLE);
  CHECK(gone.err == "hikyaku status: no hikyakud answers on " + rig.path + "; does it run?\n");
  auto socket = open_control_socket(rig.path, {"no such group", "no such group"});
  ControlOptions options{.path = rig.path, .spool_directory = rig.directory(), .group = "adm"};
  rig.service =
      std::make_unique<ControlService>(std::move(options), std::move(socket->listening), rig.desk, rig.real);
}
