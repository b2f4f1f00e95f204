// SPDX-License-Identifier: MIT
// /v1/oauth: tokens come in and never go out.
#include "doctest/doctest.h"
#include "tests/unit/control/control_routes_rig.h"

namespace hikyaku::control {
namespace {

ControlAnswer put(RoutesRig& rig, const std::string& path, std::string body, Rights rights = kOperator) {
  ControlRequest request{.method = "PUT",
                         .path = path,
                         .parameters = {},
                         .accept = "",
                         .body = std::move(body),
                         .rights = rights};
  return rig.routes.answer(request);
}

TEST_CASE("control: a token is handed over by PUT, and the answer holds nothing of it") {
  RoutesRig rig;
  auto answer = put(rig, "/v1/oauth/main",
                    R"({"refresh_token":"r","access_token":"a","expires_in":60,"scope":"s","account":"me"})");
  CHECK(answer.status == 200);
  CHECK(answer.body == "{\"done\":true}\n");
  CHECK(rig.daemon.oauth_asked == std::vector<std::string>{"adopt main"});
  const oauth::StoredToken& token = rig.daemon.adopted.at(0);
  CHECK(token.refresh_token == Secret("r"));
  CHECK(token.expires == rig.clock.wall() + 60s);
  CHECK(token.consented == rig.clock.wall());
  CHECK(put(rig, "/v1/oauth/main", "{}").status == 400);
  CHECK(put(rig, "/v1/oauth/main", "nonsense").status == 400);
  CHECK(put(rig, "/v1/queue", "{}").status == 405);
  rig.daemon.oauth_result = std::unexpected("no smarthost with `oauth` is called main");
  CHECK(error_in(put(rig, "/v1/oauth/main", R"({"refresh_token":"r"})")) ==
        "no smarthost with `oauth` is called main");
}

TEST_CASE("control: tokens are refreshed and revoked on request") {
  RoutesRig rig;
  CHECK(rig.post("/v1/oauth/main/refresh").status == 200);
  CHECK(rig.post("/v1/oauth/main/revoke").status == 200);
  CHECK(rig.daemon.oauth_asked == std::vector<std::string>{"refresh main", "revoke main"});
  CHECK(rig.post("/v1/oauth/main").status == 404);
  CHECK(rig.get("/v1/oauth/main").status == 404);
  rig.daemon.answers = false;
  CHECK(rig.post("/v1/oauth/main/refresh").status == 503);
}

TEST_CASE("control: how tokens stand, without one") {
  RoutesRig rig;
  mail::OAuthReport report{.is_login = true, .has_consent = true};
  report.expires = rig.clock.wall();
  report.refused = "invalid_grant: gone";
  rig.daemon.oauth = {{"main", report}};
  auto json = parse_json(rig.get("/v1/oauth").body);
  REQUIRE(json);
  const JsonValue& main = json->list_of("smarthosts").at(0);
  CHECK(main.text_of("smarthost") == "main");
  CHECK(main.text_of("refused") == "invalid_grant: gone");
  CHECK(main.find("account")->is_null());
}

TEST_CASE("control: only who may change everything touches tokens") {
  RoutesRig rig;
  for (const Rights& rights : {kOne, Rights{1000, true, false}}) {
    CHECK(put(rig, "/v1/oauth/main", R"({"refresh_token":"r"})", rights).status == 403);
    CHECK(rig.post("/v1/oauth/main/revoke", "", rights).status == 403);
    CHECK(rig.get("/v1/oauth", {}, rights).status == 403);
  }
  CHECK(rig.daemon.oauth_asked.empty());
}

}  // namespace
}  // namespace hikyaku::control
