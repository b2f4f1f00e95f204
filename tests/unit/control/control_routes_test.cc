// SPDX-License-Identifier: MIT
#include "tests/unit/control/control_routes_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::control;
using mail::RecipientState;

namespace {}  // namespace

TEST_CASE("control: the queue as JSON, in pages") {
  RoutesRig rig;
  std::vector<mail::MailId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(rig.accept_from(std::nullopt));
  CHECK(ids_in(rig.get("/v1/queue")) == texts(ids));
  auto first = rig.get("/v1/queue", {{"limit", "2"}});
  CHECK(ids_in(first) == texts({ids[0], ids[1]}));
  CHECK(first.body.ends_with(cat("],\"next\":\"", to_text(ids[1]), "\",\"unreadable\":[]}\n")));
  auto last = rig.get("/v1/queue", {{"limit", "3"}, {"after", to_text(ids[1])}});
  CHECK(ids_in(last) == texts({ids[2], ids[3], ids[4]}));
  CHECK(last.body.find(",\"next\":null,") != std::string::npos);
  CHECK(rig.get("/v1/queue", {{"after", to_text(ids[4])}}).body ==
        "{\"mails\":[],\"next\":null,\"unreadable\":[]}\n");
}

TEST_CASE(
    "control: who may not see everything sees their own mail in every format, and hurries nobody else's") {
  RoutesRig rig;
  auto by_tcp = rig.accept_from(std::nullopt);
  auto ours = rig.accept_from(1000);
  auto theirs = rig.accept_from(1001);
  auto by_root = rig.accept_from(0);
  CHECK(ids_in(rig.get("/v1/queue", {}, kOne)) == texts({ours}));
  CHECK(rig.get("/v1/queue", {}, kOne).body.find("unreadable") == std::string::npos);
  CHECK(ids_in(rig.get("/v1/queue")) == texts({by_tcp, ours, theirs, by_root}));
  CHECK(ids_in(rig.get("/v1/queue", {}, {1002, false})).empty());
  for (const char* format : {"lines", "postfix"}) {
    std::string text = rig.get("/v1/queue", {{"format", format}}, kOne).body;
    CHECK(text.find(to_text(ours)) != std::string::npos);
    for (auto hidden : {by_tcp, theirs, by_root}) CHECK(text.find(to_text(hidden)) == std::string::npos);
  }
  CHECK(rig.get("/v1/queue", {{"format", "postfix"}}, {1002, false}).body == "Mail queue is empty\n");
  CHECK(rig.post("/v1/queue/retry", R"({"all":true})", kOne).body == "{\"retried\":1}\n");
  REQUIRE(rig.daemon.retried.size() == 1);
  CHECK(rig.daemon.retried.back() == std::vector{ours});
  rig.clock.advance(30s);
  CHECK(rig.post("/v1/queue/retry", R"({"recipient_domain":"example.net"})", kOne).body ==
        "{\"retried\":1}\n");
  CHECK(rig.daemon.retried.back() == std::vector{ours});
  CHECK_FALSE(rig.daemon.callers.back().is_operator);
}

TEST_CASE("control: what only an operator may is forbidden to others, and nothing is done") {
  RoutesRig rig;
  rig.daemon.answers = false;  // being asked would be another error
  CHECK(rig.get("/v1/status", {}, kOne).status == 403);
  CHECK(rig.post("/v1/reload", "", kOne).status == 403);
  CHECK(rig.post("/v1/aliases/reload", "", kOne).status == 403);
  CHECK(error_in(rig.get("/v1/status", {}, kOne)).find("`control`") != std::string::npos);
}

TEST_CASE("control: what is asked for is filtered, and the client's format is used") {
  RoutesRig rig;
  auto one = rig.accept_from(std::nullopt, "x@example.net");
  auto two = rig.accept_from(std::nullopt, "y@example.org");
  rig.record(two, deferral(1, {{RecipientState::pending, "451 no"}}));
  CHECK(ids_in(rig.get("/v1/queue", {{"state", "deferred"}})) == texts({two}));
  CHECK(ids_in(rig.get("/v1/queue", {{"to", "*@EXAMPLE.net"}})) == texts({one}));
  CHECK(ids_in(rig.get("/v1/queue", {{"from", "<>"}})).empty());
  CHECK(ids_in(rig.get("/v1/queue", {{"from", "a@*"}, {"state", "active"}})) == texts({one}));
  auto lines = rig.get("/v1/queue", {}, kOperator, "application/x-ndjson");
  CHECK(lines.type == "application/x-ndjson");
  CHECK(std::ranges::count(lines.body, '\n') == 2);
  CHECK(parse_json(lines.body.substr(0, lines.body.find('\n'))));
  auto text = rig.get("/v1/queue", {}, kOperator, "text/plain, */*");
  CHECK(text.type == "text/plain; charset=utf-8");
  CHECK(text.body.find("----Queue ID-----") == 0);
  CHECK(text.body.ends_with("-- 0 Kbytes in 2 Requests.\n"));
  CHECK(rig.get("/v1/queue", {{"format", "json"}}, kOperator, "text/plain").type == "application/json");
  CHECK(rig.get("/v1/queue", {{"format", "postfix"}, {"limit", "1"}}).body.ends_with("in 1 Request.\n"));
  CHECK(rig.get("/v1/queue", {{"format", "lines"}, {"to", "nobody"}}).body.empty());
}

TEST_CASE("control: a question that is none is answered in words") {
  RoutesRig rig;
  struct Case {
    const char* name;
    const char* value;
    const char* error;
  };
  for (const Case& one :
       {Case{"limi", "1",
             "no parameter limi; there are after, limit, format, state, from, to, smarthost, reason, "
             "older_than"},
        Case{"\x1b[2J", "1",
             "no parameter \\x1b[2J; there are after, limit, format, state, from, to, smarthost, reason, "
             "older_than"},
        Case{"limit", "0", "limit must be a number of mails, at least 1"},
        Case{"limit", "many", "limit must be a number of mails, at least 1"},
        Case{"limit", "99999999999999999999", "limit must be a number of mails, at least 1"},
        Case{"after", "hello!", "after must be a mail ID"},
        Case{"state", "frozen", "state must be active, deferred (or waiting) or held"},
        Case{"older_than", "old", "older_than must be a duration: 30m, 4h, 5d"},
        Case{"format", "xml", "format must be json, lines or postfix"}}) {
    CAPTURE(one.name);
    auto answer = rig.get("/v1/queue", {{one.name, one.value}});
    CHECK(answer.status == 400);
    CHECK(error_in(answer) == one.error);
  }
  for (const char* path : {"/", "", "/v1", "/v1/queue/", "/v2/queue", "/v1/queue/retry", "/v1/mails/",
                           "/v1/outcome", "/v1/mails/outcome", "/v1/mails//outcomes", "/v1/reload"})
    CHECK(rig.get(path).status == 404);
  for (const char* path : {"/v1/queue", "/v1/status", kOutcome}) CHECK(rig.post(path).status == 404);
}

TEST_CASE("control: a list of any length comes in pieces, and breaks off when nobody wants it any more") {
  RoutesRig rig;
  for (int i = 0; i < 520; ++i) rig.accept_from(std::nullopt);
  rig.clock.advance(1us);
  bool is_wanted = true;
  ControlRequest request{.method = "GET",
                         .path = "/v1/queue",
                         .parameters = {{"format", "lines"}},
                         .accept = "",
                         .body = "",
                         .rights = kOperator};
  request.is_wanted = [&] { return is_wanted; };
  auto answer = rig.routes.answer(request);
  REQUIRE(answer.pieces != nullptr);
  auto first = answer.pieces();
  REQUIRE(first);
  CHECK(std::ranges::count(*first, '\n') == 500);
  is_wanted = false;
  CHECK_FALSE(answer.pieces());
  is_wanted = true;
  auto all = RoutesRig::whole(rig.routes.answer(request));
  CHECK(std::ranges::count(all.body, '\n') == 520);
  request.parameters["limit"] = "510";
  CHECK(std::ranges::count(RoutesRig::whole(rig.routes.answer(request)).body, '\n') == 510);
}

TEST_CASE("control: a spool that cannot be read is said before anything goes out") {
  RoutesRig rig;
  listing::QueueReader nowhere(rig.place.file("nothing"), rig.clock);
  ControlRoutes routes(rig.daemon, nowhere, rig.clock);
  for (const char* format : {"json", "lines", "postfix"}) {
    ControlRequest request{.method = "GET",
                           .path = "/v1/queue",
                           .parameters = {{"format", format}},
                           .accept = "",
                           .body = "",
                           .rights = kOperator};
    auto answer = routes.answer(request);
    CHECK(answer.status == 500);
    CHECK(error_in(answer).find("there is no spool in ") == 0);
  }
}

TEST_CASE("control: named mails are tried again, each once") {
  RoutesRig rig;
  auto id = [](const char* text) { return *mail::parse_mail_id(text); };
  rig.daemon.retry_report.retried = {id("001k0ts4wbcf1"), id("001k0ts4wbcf2")};
  rig.daemon.retry_report.held = {id("001k0ts4wbcf3")};
  rig.daemon.retry_report.unknown = {id("001k0ts4wbcf4")};
  auto answer =
      rig.post("/v1/queue/retry", R"({"ids":["001k0ts4wbcf2","001k0ts4wbcf1","001k0ts4wbcf2"]})", kOne);
  CHECK(answer.body == "{\"retried\":2,\"held\":[\"001k0ts4wbcf3\"],\"unknown\":[\"001k0ts4wbcf4\"]}\n");
  CHECK(rig.daemon.asked == std::vector{id("001k0ts4wbcf1"), id("001k0ts4wbcf2")});
  CHECK(rig.daemon.callers.back().uid == 1000);
}

TEST_CASE("control: everything, or what fits, is tried again, but for what is held") {
  RoutesRig rig;
  CHECK(rig.post("/v1/queue/retry", R"({"all":true})").body == "{\"retried\":7}\n");
  auto one = rig.accept_from(1000, "x@example.net");
  auto two = rig.accept_from(1000, "y@Example.ORG");
  auto three = rig.accept_from(1000, "z@example.org");
  mail::Envelope both;
  both.recipients = {{"q@example.org", {}, {}}, {"q@example.net", {}, {}}};
  auto settled = rig.accept("x", both);
  auto held = deferral(1, {{RecipientState::failed, "550 no"}});
  held.held = true;
  rig.record(three, held);
  rig.record(settled, deferral(1, {{RecipientState::delivered, "250"}, {RecipientState::pending, "451"}}));
  struct Case {
    const char* body;
    std::vector<mail::MailId> ids;
  };
  for (const Case& wanted :
       {Case{R"({"recipient_domain":"example.org"})", {two}},
        Case{R"({"recipient_domain":"example.net"})", {one, settled}},
        Case{R"({"recipient_domain":"ample.org"})", {}}, Case{R"({"state":"deferred"})", {settled}},
        Case{R"({"from":"a@*","to":"*.net"})", {one}}, Case{R"({"state":"held"})", {}},
        Case{R"({"from":"<>","recipient_domain":"example.net"})", {settled}}}) {
    CAPTURE(wanted.body);
    rig.daemon.retried.clear();
    auto answer = rig.post("/v1/queue/retry", wanted.body);
    CHECK(answer.body == cat("{\"retried\":", std::to_string(wanted.ids.size()), "}\n"));
    std::vector<mail::MailId> retried;
    for (const auto& some : rig.daemon.retried) retried.insert(retried.end(), some.begin(), some.end());
    CHECK(retried == wanted.ids);
  }
}

TEST_CASE("control: a user may have mail tried once in 30 seconds, another one and the operator meanwhile") {
  RoutesRig rig;
  rig.accept_from(1000);
  const char* all = R"({"all":true})";
  CHECK(rig.post("/v1/queue/retry", R"({"al":true})", kOne).status == 400);  // does not count
  CHECK(rig.post("/v1/queue/retry", all, kOne).status == 200);
  rig.clock.advance(12s);
  for (const char* body : {all, R"({"ids":["001k0ts4wbcf1"]})", R"({"to":"*"})"}) {
    auto again = rig.post("/v1/queue/retry", body, kOne);
    CHECK(again.status == 429);
    CHECK(again.body ==
          "{\"error\":\"a retry is allowed once in 30 s; try again in 18 s\",\"retry_after\":18}\n");
  }
  CHECK(rig.daemon.retried.size() == 1);
  CHECK(rig.post("/v1/queue/retry", all, {1001, false}).status == 200);
  for (int i = 0; i < 3; ++i) CHECK(rig.post("/v1/queue/retry", all).status == 200);
  rig.clock.advance(18s);
  CHECK(rig.post("/v1/queue/retry", all, kOne).status == 200);
}

TEST_CASE("control: a wish for retries that is none is refused in words") {
  RoutesRig rig;
  std::string many = R"({"ids":["001k0ts4wbcf1")";
  for (int i = 0; i < 1000; ++i) many += R"(,"001k0ts4wbcf1")";
  struct Case {
    std::string body;
    std::string error;
  };
  const std::string forms =
      R"( must be {"ids":[...]}, {"all":true}, or filters: "recipient_domain", "state", "from", "to", "smarthost", "reason", "older_than")";
  for (const Case& one :
       {Case{"", "the body is not JSON: byte 0: expected a value"}, Case{"{}", "the body" + forms},
        Case{"[]", "the body" + forms}, Case{"{\"all\":false}", "all: the body" + forms},
        Case{"{\"all\":1}", "all: the body" + forms},
        Case{R"({"all":true,"ids":[]})", "all: the body" + forms},
        Case{R"({"ids":"001k0ts4wbcf1"})", "ids must be a list of mail IDs"},
        Case{R"({"ids":[1]})", "ids must be mail IDs, as strings"},
        Case{R"({"ids":["hello!"]})", "ids must be mail IDs, as strings"},
        Case{many + "]}", "at most 1000 ids at a time"},
        Case{R"({"state":"frozen"})", "state must be active, deferred (or waiting) or held"},
        Case{R"({"stat\u001be":"x"})", "stat\\x1be: the body" + forms}}) {
    CAPTURE(one.body.substr(0, 100));
    auto answer = rig.post("/v1/queue/retry", one.body);
    CHECK(answer.status == 400);
    CHECK(error_in(answer) == one.error);
  }
  CHECK(rig.daemon.retried.empty());
}

TEST_CASE("control: status, reload and aliases say what the daemon says") {
  RoutesRig rig;
  rig.daemon.status_report.version = "1.2";
  rig.daemon.status_report.uptime = 61s;
  rig.daemon.status_report.active = 1;
  rig.daemon.status_report.deferred = 2;
  rig.daemon.status_report.held = 3;
  CHECK(rig.get("/v1/status").body ==
        "{\"version\":\"1.2\",\"uptime\":61,\"queue\":{\"active\":1,\"deferred\":2,\"held\":3},"
        "\"released\":null,\"spool\":\"healthy\",\"spool_trouble\":null,\"last_delivery\":null,\"failed_last_"
        "day\":0,\"smarthosts\":"
        "[],\"warnings\":[],\"drain\":null}\n");
  rig.daemon.status_report.spool_trouble = "the disk is \"full\"";
  rig.daemon.status_report.last_delivery = rig.clock.wall();
  rig.daemon.status_report.smarthosts = {
      {"main", "a.example", 587, true, 2, "", std::nullopt},
      {"other", "b.example", 465, false, 0, "nobody \"listens\"", rig.clock.wall()}};
  CHECK(parse_json(rig.get("/v1/status").body));
  CHECK(rig.get("/v1/status")
            .body.find("\"spool\":\"failing\",\"spool_trouble\":\"the disk is \\\"full\\\"\",") !=
        std::string::npos);
  CHECK(rig.get("/v1/status")
            .body.find(
                "{\"name\":\"other\",\"host\":\"b.example\",\"port\":465,\"state\":\"waiting\","
                "\"why\":\"nobody "
                "\\\"listens\\\"\",\"since\":null,\"next_probe\":\"2026-09-21T14:13:20Z\",\"proven\":false,"
                "\"connections\":0}],\"warnings\":[],\"drain\":null}") != std::string::npos);
  rig.daemon.reload_report.kept = {"listen"};
  CHECK(rig.post("/v1/reload").body == "{\"needs_restart\":[\"listen\"]}\n");
  rig.daemon.reload_report.problems = {"a.yaml:1:1: x", "a.yaml:2:1: y"};
  auto failed = rig.post("/v1/reload");
  CHECK(failed.status == 422);
  CHECK(error_in(failed) == "a.yaml:1:1: x\na.yaml:2:1: y");
  CHECK(rig.post("/v1/aliases/reload").body == "{\"aliases\":3}\n");
  rig.daemon.aliases = std::unexpected("/etc/aliases:3: a pipe");
  CHECK(rig.post("/v1/aliases/reload").status == 422);
  CHECK(error_in(rig.post("/v1/aliases/reload")) == "/etc/aliases:3: a pipe");
}

TEST_CASE(
    "control: operators get what was said before failures, of mails and, where they ask, of smarthosts") {
  RoutesRig rig;
  constexpr const char* kDialoguePath = "/v1/mails/001k0ts4wbcf1/dialogue";
  rig.daemon.dialogue_report.since = rig.clock.wall();
  CHECK(rig.get(kDialoguePath).body ==
        "{\"id\":\"001k0ts4wbcf1\",\"since\":\"2026-09-21T14:13:20Z\",\"dialogue\":null}\n");
  const auto said = std::make_shared<const mail::Dialogue>(
      mail::Dialogue{.began = rig.clock.wall(),
                     .smarthost = "main",
                     .failure = "no",
                     .lines = {{1ms, mail::Speaker::server, "554 no"}}});
  rig.daemon.dialogue_report.dialogue = said;
  const std::string line = R"("lines":[{"after_ms":1,"from":"server","text":"554 no"}])";
  CHECK(rig.get(kDialoguePath).body.find(line) != std::string::npos);
  CHECK(rig.daemon.asked == std::vector{*mail::parse_mail_id("001k0ts4wbcf1")});
  CHECK(rig.get(kDialoguePath, {}, kOne).status == 403);
  CHECK(rig.get("/v1/mails/no/dialogue").status == 400);
  CHECK(rig.post(kDialoguePath).status == 404);
  rig.daemon.status_report.smarthosts = {{"main", "a.example", 587, true, 1, "", std::nullopt},
                                         {"other", "b.example", 25, true, 0, "", std::nullopt}};
  rig.daemon.status_report.smarthosts[0].last_failure = said;
  CHECK(rig.get("/v1/status").body.find("last_failure") == std::string::npos);
  const std::string verbose = rig.get("/v1/status", {{"verbose", "1"}}).body;
  CHECK(verbose.find(line) != std::string::npos);
  CHECK(verbose.find("\"last_failure\":null") != std::string::npos);
  CHECK(rig.get("/v1/status", {{"verbose", "1"}}, kOne).status == 403);
}

TEST_CASE("control: a daemon that does not answer is told of as such") {
  RoutesRig rig;
  rig.accept_from(std::nullopt);
  rig.daemon.answers = false;
  for (const ControlAnswer& answer :
       {rig.get("/v1/status"), rig.get("/v1/mails/001k0ts4wbcf1/dialogue"), rig.post("/v1/reload"),
        rig.post("/v1/aliases/reload"), rig.get(kOutcome), rig.post("/v1/queue/retry", R"({"all":true})"),
        rig.post("/v1/queue/retry", R"({"from":"*"})"),
        rig.post("/v1/queue/retry", R"({"ids":["001k0ts4wbcf1"]})")}) {
    CHECK(answer.status == 503);
    CHECK(error_in(answer).find("try again") != std::string::npos);
  }
}

TEST_CASE("control: mailq tells users of their own failed mail and drops, and scripts get only the list") {
  RoutesRig rig;
  rig.daemon.failures = {
      {*mail::parse_mail_id("001k0ts4wbcfh"), 1000, rig.clock.wall(), "x@example.net", "550 no", 0}};
  std::filesystem::create_directory(rig.directory() + "/drop");
  std::ofstream(rig.directory() + "/drop/0006524fb0a3c1e2.4711.deadbeef") << "x";
  auto listed = [&](const char* format, Rights rights) {
    return rig.get("/v1/queue", {{"format", format}}, rights).body;
  };
  std::string users = listed("postfix", {::getuid(), false});
  CHECK(users.starts_with("-- 1 mail of yours waits in " + rig.directory() +
                          "/drop to be fetched by hikyakud\n" +
                          "-- 1 mail of yours failed in the last day:\n"));
  CHECK(users.ends_with("\n\nMail queue is empty\n"));
  CHECK(listed("postfix", {4711, false}).find("waits in") == std::string::npos);
  CHECK(listed("postfix", kOperator).starts_with("-- 1 mail waits in "));
  CHECK(listed("lines", kOperator).empty());
  rig.daemon.answers = false;
  CHECK(listed("postfix", {4711, false}) == "Mail queue is empty\n");
}
