// SPDX-License-Identifier: MIT
// What providers answer.
#include "daemon/oauth/token_answer.h"

#include "tests/unit/oauth/oauth_rig.h"

using namespace hikyaku;
using namespace hikyaku::oauth;

namespace {

Result<Grant, TokenError> parsed(int status, const std::string& body) {
  return parse_token_answer({status, Secret(body), {}});
}

}  // namespace

TEST_CASE("oauth: `expires_in` may be a number, a text, missing, or nonsense") {
  auto lifetime = [](const std::string& more) {
    auto grant = parsed(200, R"({"access_token":"a")" + more + "}");
    REQUIRE(grant);
    return grant->lifetime;
  };
  CHECK(lifetime(R"(,"expires_in":599)") == 599s);
  CHECK(lifetime(R"(,"expires_in":"599")") == 599s);
  CHECK(lifetime(R"(,"expires_in":599.9)") == 599s);
  CHECK(lifetime("") == 1h);
  CHECK(lifetime(R"(,"expires_in":null)") == 1h);
  CHECK(lifetime(R"(,"expires_in":-5)") == 1h);
  CHECK(lifetime(R"(,"expires_in":"soon")") == 1h);
  CHECK(lifetime(R"(,"expires_in":1e300)") > 24h);
}

TEST_CASE("oauth: what may pass by itself is told from what does not") {
  struct {
    int status;
    const char* body;
    TokenTrouble kind;
  } const kCases[] = {
      {400, R"({"error":"invalid_grant"})", TokenTrouble::consent},
      {400, R"({"error":"interaction_required"})", TokenTrouble::consent},
      {401, R"({"error":"invalid_client"})", TokenTrouble::client},
      {400, R"({"error":"unauthorized_client"})", TokenTrouble::client},
      {400, R"({"error":"invalid_scope"})", TokenTrouble::client},
      {400, R"({"error":"something_new"})", TokenTrouble::client},
      {400, R"({"error":"temporarily_unavailable"})", TokenTrouble::transient},
      {503, R"({"error":"invalid_grant"})", TokenTrouble::transient},
      {200, R"({"error":"invalid_grant"})", TokenTrouble::consent},
      {400, R"({"error":"authorization_pending"})", TokenTrouble::pending},
      {400, R"({"error":"slow_down"})", TokenTrouble::slow_down},
      {400, R"({"error":"access_denied"})", TokenTrouble::denied},
      {400, "<html>", TokenTrouble::transient},
      {200, "[1]", TokenTrouble::transient},
      {200, R"({"access_token":"with blank"})", TokenTrouble::transient},
      {200, R"({"access_token":""})", TokenTrouble::transient},
      {200, R"({"access_token":"a","refresh_token":"b\nc"})", TokenTrouble::transient},
  };
  for (const auto& each : kCases) {
    CAPTURE(each.body);
    auto grant = parsed(each.status, each.body);
    REQUIRE(!grant);
    CHECK(grant.error().kind == each.kind);
  }
}

TEST_CASE("oauth: an error's text is its first line, printable") {
  auto grant =
      parsed(400, "{\"error\":\"invalid_grant\",\"error_description\":\"gone\\u001b[2J\\r\\nTrace ID: 1\"}");
  REQUIRE(!grant);
  CHECK(grant.error().text == "invalid_grant: gone\\x1b[2J");
  CHECK(trouble_named(grant.error().text) == TokenTrouble::consent);
  CHECK(trouble_named("invalid_client: x") == TokenTrouble::client);
  CHECK(trouble_named("no connection to https://x") == TokenTrouble::transient);
}

TEST_CASE("oauth: the account is read where a token says it") {
  // {"alg":"none"}.{"preferred_username":"admin@example.com"}.
  const std::string id = "eyJhbGciOiJub25lIn0.eyJwcmVmZXJyZWRfdXNlcm5hbWUiOiJhZG1pbkBleGFtcGxlLmNvbSJ9.";
  CHECK(parsed(200, R"({"access_token":"opaque","id_token":")" + id + "\"}")->account == "admin@example.com");
  CHECK(parsed(200, R"({"access_token":")" + id + "x\"}")->account == "admin@example.com");
  CHECK(account_in("a.b") == "");
  CHECK(account_in("a.!!.c") == "");
  CHECK(account_in("") == "");
}

TEST_CASE("oauth: a program prints a token alone, or JSON") {
  CHECK(parse_token_text("ya29.abc\n")->access_token == Secret("ya29.abc"));
  CHECK(parse_token_text(R"({"access_token":"t","expires_in":60})")->lifetime == 60s);
  CHECK(parse_token_text("").error().kind == TokenTrouble::setup);
  CHECK(parse_token_text("two words").error().kind == TokenTrouble::setup);
  CHECK(parse_token_text("{broken").error().kind == TokenTrouble::setup);
}

TEST_CASE("oauth: the device flow's answer") {
  auto code =
      parse_device_answer({200,
                           Secret(R"({"device_code":"d","user_code":"AB-12","verification_uri":"https://m/d",
                                          "expires_in":900,"interval":5})"),
                           {}});
  REQUIRE(code);
  CHECK(code->user_code == "AB-12");
  CHECK(code->lifetime == 15min);
  CHECK(code->interval == 5s);
  CHECK(!parse_device_answer({200, Secret("{}"), {}}));
  CHECK(parse_device_answer(
            {400, Secret(R"({"error":"invalid_scope","error_description":"Invalid device flow scope"})"), {}})
            .error()
            .text == "invalid_scope: Invalid device flow scope");
}
