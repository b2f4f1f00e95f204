// SPDX-License-Identifier: MIT
#include "tests/unit/control/control_routes_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::control;
using mail::RecipientState;

namespace {

// One smarthost that is paused and looked at again in a while.
mail::SmarthostReport paused(WallTime now, Duration again) {
  mail::SmarthostReport smarthost{
      "main", "a.example", 587, true, 0, "refused the password of me@example.com", now + again};
  smarthost.since = now - 1min;
  smarthost.public_trouble = "the smarthost refuses hikyaku's log-in";
  return smarthost;
}

}  // namespace

TEST_CASE("control: what has become of a mail, as soon as everybody is settled, or when the time is over") {
  RoutesRig rig;
  auto pending = outcome({{RecipientState::pending, "451 no"}, {RecipientState::pending, ""}});
  auto half = outcome({{RecipientState::delivered, "250 ok"}, {RecipientState::pending, ""}});
  auto over = outcome({{RecipientState::delivered, "250 ok"}, {RecipientState::failed, "550 no"}}, true);
  rig.daemon.outcomes = {pending};
  CHECK(rig.get(kOutcome).body ==
        "{\"id\":\"001k0ts4wbcfh\",\"state\":\"deferred\",\"attempts\":1,\"waits_for\":\"time\","
        "\"waits_since\":null,\"next_attempt\":null,\"reason\":null,\"recipients\":["
        "{\"address\":\"x@example.net\",\"status\":\"pending\",\"last_reply\":\"451 no\"},"
        "{\"address\":\"y@example.net\",\"status\":\"pending\",\"last_reply\":null}]}\n");
  rig.daemon.outcomes = {pending, pending, half, over};
  auto answer = rig.get(kOutcome, {{"wait", "60"}}, kOne);
  CHECK(answer.body.find("\"state\":\"ended\"") != std::string::npos);
  CHECK(answer.body.find("\"failed\",\"last_reply\":\"550 no\"") != std::string::npos);
  for (Duration wait : rig.daemon.waits) CHECK(wait <= 1s);
  rig.daemon.outcomes = {pending, half, over};
  auto lines = rig.get(kOutcome, {{"wait", "60"}, {"format", "lines"}}, kOne);
  CHECK(lines.type == "application/x-ndjson");
  CHECK(lines.body ==
        "{\"address\":\"x@example.net\",\"status\":\"pending\",\"last_reply\":\"451 no\"}\n"
        "{\"address\":\"x@example.net\",\"status\":\"delivered\",\"last_reply\":\"250 ok\"}\n"
        "{\"address\":\"y@example.net\",\"status\":\"failed\",\"last_reply\":\"550 no\"}\n");
}

TEST_CASE("control: an outcome that is not known, not ours, or asked for wrongly") {
  RoutesRig rig;
  CHECK(rig.get(kOutcome).status == 404);
  rig.daemon.outcomes = {outcome({})};
  CHECK(rig.get(kOutcome, {}, kOne).status == 200);
  CHECK(rig.get(kOutcome, {}, {1001, false}).status == 404);
  CHECK(error_in(rig.get(kOutcome, {}, {1001, false})).find("there is no mail 001k0ts4wbcfh") == 0);
  CHECK(rig.get("/v1/mails/hello!/outcome").status == 400);
  CHECK(rig.get("/v1/mails//outcome").status == 400);
  CHECK(rig.get(kOutcome, {{"wait", "301"}}).status == 400);
  CHECK(rig.get(kOutcome, {{"wait", "-1"}}).status == 400);
  CHECK(rig.get(kOutcome, {{"format", "postfix"}}).status == 400);
}

TEST_CASE(
    "control: mail behind a paused smarthost is deferred, and says why; its sender reads no account's name") {
  RoutesRig rig;
  auto ours = rig.accept_from(1000);
  auto own_time = rig.accept_from(1000);
  rig.record(own_time, deferral(1, {{RecipientState::pending, "451 4.2.1 full"}}));
  CHECK(ids_in(rig.get("/v1/queue", {{"state", "active"}})) == texts({ours}));
  rig.daemon.status_report.smarthosts = {paused(rig.clock.wall(), 4min)};
  CHECK(ids_in(rig.get("/v1/queue", {{"state", "active"}})).empty());
  CHECK(ids_in(rig.get("/v1/queue", {{"state", "deferred"}})) == texts({ours, own_time}));
  CHECK(ids_in(rig.get("/v1/queue", {{"state", "waiting"}})) == texts({ours, own_time}));
  auto first = [&](Rights rights) { return rig.get("/v1/queue", {{"limit", "1"}}, rights).body; };
  CHECK(first(kOperator).find(
            "\"state\":\"deferred\",\"waits_for\":\"smarthost\",\"waits_since\":"
            "\"2026-09-21T14:12:20Z\",\"reason\":\"refused the password of me@example.com\"") !=
        std::string::npos);
  CHECK(first(kOperator).find("\"next_attempt\":\"2026-09-21T14:17:20Z\"") != std::string::npos);
  CHECK(first(kOne).find("\"reason\":\"the smarthost refuses hikyaku's log-in\"") != std::string::npos);
  for (const char* format : {"json", "lines", "postfix"}) {
    std::string body = rig.get("/v1/queue", {{"format", format}}, kOne).body;
    CHECK(body.find("me@example.com") == std::string::npos);
    CHECK(body.find("451 4.2.1 full") != std::string::npos);
  }
}

TEST_CASE(
    "control: a mail's outcome says at once that the smarthost is paused, and waits only while that helps") {
  RoutesRig rig;
  rig.daemon.outcomes = {outcome({{RecipientState::pending, ""}})};
  rig.daemon.outcomes[0].attempts = 0;
  rig.daemon.status_report.smarthosts = {paused(rig.clock.wall(), 4min)};
  auto lines = rig.get(kOutcome, {{"wait", "60"}, {"until", "paused"}, {"format", "lines"}}, kOne);
  CHECK(lines.body ==
        "{\"waits_for\":\"smarthost\",\"waits_since\":\"2026-09-21T14:12:20Z\",\"next_attempt\":"
        "\"2026-09-21T14:17:20Z\",\"reason\":\"the smarthost refuses hikyaku's log-in\"}\n");
  CHECK(rig.daemon.waits.size() == 1);  // four minutes are longer than the client waits
  auto json = rig.get(kOutcome, {{"wait", "60"}, {"until", "paused"}});
  CHECK(json.body.find("\"state\":\"deferred\",\"attempts\":0,\"waits_for\":\"smarthost\"") !=
        std::string::npos);
  CHECK(json.body.find("\"reason\":\"refused the password of me@example.com\"") != std::string::npos);
}

TEST_CASE("control: a mail's outcome is waited for until another attempt was made, if that is asked for") {
  RoutesRig rig;
  auto first = outcome({{RecipientState::pending, "451 one"}});
  auto second = outcome({{RecipientState::pending, "451 two"}});
  second.attempts = 2;
  rig.daemon.outcomes = {first, first, second};
  CHECK(rig.get(kOutcome, {{"wait", "60"}, {"attempts", "1"}}).body.find("451 two") != std::string::npos);
  rig.daemon.outcomes = {first};
  CHECK(rig.get(kOutcome, {{"wait", "60"}, {"attempts", "0"}}).body.find("451 one") != std::string::npos);
  CHECK(rig.get(kOutcome, {{"attempts", "x"}}).status == 400);
  CHECK(rig.get(kOutcome, {{"until", "x"}}).status == 400);
}

TEST_CASE(
    "control: why a mail was deferred is for operators, what the smarthost replied is for its sender too") {
  RoutesRig rig;
  auto deferred = outcome({{RecipientState::pending, "553 not yours"}});
  deferred.reason = "does not take mail when me@example.com is logged in (/etc/hikyaku/authinfo:1)";
  rig.daemon.outcomes = {deferred};
  CHECK(rig.get(kOutcome).body.find("authinfo:1") != std::string::npos);
  CHECK(rig.get(kOutcome, {}, kOne).body.find("authinfo:1") == std::string::npos);
  CHECK(rig.get(kOutcome, {}, kOne).body.find("553 not yours") != std::string::npos);
}
