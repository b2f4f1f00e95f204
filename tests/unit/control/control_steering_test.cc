// SPDX-License-Identifier: MIT
#include "tests/unit/control/control_routes_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::control;
using relay::Decided;
using relay::Decision;

namespace {

constexpr Rights kMayOnlySee{1001, true, false};

mail::MailId some_id(const std::string& text) { return *mail::parse_mail_id(text); }

struct SteeringRoutesRig : RoutesRig {
  mail::MailId accept_held() {
    auto id = accept_from(std::nullopt);
    auto progress = deferral(1, {{mail::RecipientState::pending, "451 no"}});
    progress.held = true;
    record(id, progress);
    return id;
  }
  ControlAnswer post_counting(const std::string& path, std::string body) {
    clock.advance(1us);
    return routes.answer({.method = "POST",
                          .path = path,
                          .parameters = {{"count", "1"}},
                          .accept = "",
                          .body = std::move(body),
                          .rights = kOperator});
  }
};

}  // namespace

TEST_CASE("control: each decision has its path, and the daemon hears which mails, and who decides") {
  SteeringRoutesRig rig;
  for (auto [path, decision] : {std::pair{"/v1/queue/hold", Decision::hold},
                                {"/v1/queue/release", Decision::release},
                                {"/v1/queue/remove", Decision::remove},
                                {"/v1/queue/bounce", Decision::bounce}}) {
    CAPTURE(path);
    auto answer = rig.post(path, R"({"ids":["001k0ts4wbcf2","001k0ts4wbcf1","001k0ts4wbcf2"]})");
    CHECK(answer.status == 200);
    CHECK(answer.body == "{\"done\":2,\"unchanged\":0,\"under_way\":[],\"unknown\":[],\"refused\":[]}\n");
    CHECK(texts(rig.daemon.asked) == std::vector<std::string>{"001k0ts4wbcf1", "001k0ts4wbcf2"});
    CHECK(rig.daemon.orders.back().decision == decision);
    CHECK(rig.daemon.orders.back().by == "root");
    CHECK(rig.get(path).status == 404);
  }
}

TEST_CASE("control: what became of each mail is in the answer") {
  SteeringRoutesRig rig;
  const auto id = some_id("001k0ts4wbcf1");
  rig.daemon.decided = {{id, Decided::Result::done},
                        {id, Decided::Result::unchanged},
                        {id, Decided::Result::under_way},
                        {id, Decided::Result::unknown},
                        {id, Decided::Result::refused, "no \"sender\""}};
  const std::string body = R"({"ids":["001k0ts4wbcf1"]})";
  auto answer = rig.post("/v1/queue/remove", body);
  CHECK(answer.status == 200);
  CHECK(answer.body == R"({"done":1,"unchanged":1,"under_way":["001k0ts4wbcf1"],"unknown":["001k0ts4wbcf1"],)"
                       R"("refused":[{"id":"001k0ts4wbcf1","error":"no \"sender\""}]})"
                       "\n");
  rig.daemon.decided = {{id, Decided::Result::under_way}};
  answer = rig.post("/v1/queue/remove", body);
  CHECK(answer.status == 409);
  CHECK(error_in(answer).find("being sent now") == 0);
  rig.daemon.answers = false;
  CHECK(rig.post("/v1/queue/remove", body).status == 503);
  CHECK(rig.post("/v1/queue/remove", R"({"all":false})").status == 400);
}

TEST_CASE("control: filters and `all` find what the decision is for, and what the caller may change") {
  SteeringRoutesRig rig;
  const auto by_tcp = rig.accept_from(std::nullopt, "x@example.net");
  const auto ours = rig.accept_from(1000, "y@example.org");
  const auto held = rig.accept_held();
  auto asked_for = [&](const std::string& verb, const std::string& body, Rights rights) {
    rig.daemon.asked.clear();
    CHECK(rig.post("/v1/queue/" + verb, body, rights).status == 200);
    return texts(rig.daemon.asked);
  };
  const std::string all = R"({"all":true})";
  CHECK(asked_for("hold", all, kOperator) == texts({by_tcp, ours}));
  CHECK(asked_for("release", all, kOperator) == texts({held}));
  CHECK(asked_for("remove", all, kOperator) == texts({by_tcp, ours, held}));
  CHECK(asked_for("remove", R"({"to":"*@example.org"})", kOperator) == texts({ours}));
  CHECK(asked_for("remove", R"({"state":"held"})", kOperator) == texts({held}));
  CHECK(asked_for("remove", all, kOne) == texts({ours}));
  CHECK(rig.daemon.orders.back().rights.uid == 1000);
  CHECK(asked_for("remove", all, kMayOnlySee).empty());
  auto counted = rig.post_counting("/v1/queue/remove", all);
  CHECK(counted.body == "{\"count\":3}\n");
  CHECK(rig.daemon.asked.empty());
  CHECK(rig.post_counting("/v1/queue/remove", R"({"ids":["001k0ts4wbcf1"]})").body == "{\"count\":1}\n");
}
