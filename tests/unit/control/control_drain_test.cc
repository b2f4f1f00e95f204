// SPDX-License-Identifier: MIT
// POST /v1/drain: who may, what is understood, and what is answered.
#include "tests/unit/control/control_routes_rig.h"

using namespace hikyaku;
using namespace hikyaku::control;

namespace {

using DrainVerb = DrainOrder::Verb;
constexpr Rights kOnlooker{1001, true, false};

}  // namespace

TEST_CASE("control: a drain is begun, followed and ended by whoever may change everything") {
  RoutesRig rig;
  rig.daemon.drains = {relay::DrainReport{.stage = relay::DrainReport::Stage::handing_over,
                                          .to = "b.example:25",
                                          .left = 3,
                                          .held = 1,
                                          .drops = 2}};
  ControlAnswer begun = rig.post("/v1/drain", R"({"to":"smtp://b.example"})");
  CHECK(begun.status == 200);
  CHECK(begun.body ==
        R"({"stage":"handing_over","to":"b.example:25","why":null,"left":3,"held":1,"drops":2,"clients":0})"
        "\n");
  rig.post("/v1/drain");
  rig.post("/v1/drain", R"({"follow":true})");
  rig.post("/v1/drain", R"({"end":true})");
  REQUIRE(rig.daemon.drain_orders.size() == 4);
  CHECK(rig.daemon.drain_orders[0].to == "smtp://b.example");
  CHECK(rig.daemon.drain_orders[0].by == "root");
  CHECK(rig.daemon.drain_orders[1].verb == DrainVerb::begin);
  CHECK(rig.daemon.drain_orders[1].to.empty());
  CHECK(rig.daemon.drain_orders[2].verb == DrainVerb::follow);
  CHECK(rig.daemon.drain_orders[3].verb == DrainVerb::end);
}

TEST_CASE("control: a drain is refused to others, where it is not understood, and in the daemon's words") {
  RoutesRig rig;
  CHECK(rig.post("/v1/drain", "{}", kOne).status == 403);
  CHECK(rig.post("/v1/drain", "{}", kOnlooker).status == 403);
  for (const char* body :
       {"x", "[]", R"({"to":""})", R"({"too":"x"})", R"({"end":1})", R"({"to":"x","end":true})"})
    CHECK_MESSAGE(rig.post("/v1/drain", body).status == 400, std::string(body));
  CHECK(rig.daemon.drain_orders.empty());
  ControlAnswer refused = rig.post("/v1/drain", R"({"follow":true})");
  CHECK(refused.status == 422);
  CHECK(error_in(refused) == "there is no drain under way");
  CHECK(rig.get("/v1/drain").status == 404);
}

TEST_CASE("control: the status has the drain, or null") {
  RoutesRig rig;
  auto drain_in = [&] { return *parse_json(rig.get("/v1/status").body)->find("drain"); };
  CHECK(drain_in().is_null());
  rig.daemon.status_report.drain = relay::DrainReport{.stage = relay::DrainReport::Stage::drained};
  CHECK(drain_in().text_of("stage") == "drained");
}
