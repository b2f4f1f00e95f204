// SPDX-License-Identifier: MIT
// Tokens over hours and weeks of simulated time.
#include "daemon/oauth/refresher.h"

#include "tests/unit/oauth/oauth_rig.h"

using namespace hikyaku;
using namespace hikyaku::oauth;
using namespace hikyaku::test;

namespace {

constexpr const char* kRevoked =
    R"({"error":"invalid_grant","error_description":"AADSTS700082: The refresh token has expired.\r\nTrace ID: 1"})";

}  // namespace

TEST_CASE("oauth: a refresh is due ten minutes and a little before the end, or a quarter of a short life") {
  CHECK(due_after(1h, 0) == 50min);
  CHECK(due_after(1h, 0.5) == 49min + 30s);
  CHECK(due_after(8s, 0.9) == 6s);
  CHECK(due_after(40min, 0) == 30min);
}

TEST_CASE("oauth: the waits after errors that may pass double from 40 s to 10 min") {
  CHECK(transient_wait(1, 0.5) == 40s);
  CHECK(transient_wait(2, 0.5) == 80s);
  CHECK(transient_wait(9, 0.99) == 10min);
  CHECK(transient_wait(1, 0) == 36s);
}

TEST_CASE(
    "oauth: tokens are refreshed ahead of need, once an interval, and the lanes always have a valid one") {
  OAuthRig rig;
  rig.store(consented());
  rig.start();
  CHECK(rig.token() == "access-1");
  CHECK(rig.endpoint.forms.at(0)["grant_type"] == "refresh_token");
  CHECK(rig.endpoint.forms[0]["refresh_token"] == "refresh-0");
  CHECK(rig.endpoint.forms[0]["scope"] == "SMTP.Send offline_access");
  CHECK(rig.endpoint.forms[0].count("client_secret") == 0);
  rig.pass(49min);
  CHECK(rig.token() == "access-1");
  rig.pass(2min);
  CHECK(rig.token() == "access-2");
  CHECK(rig.endpoint.forms.at(1)["refresh_token"] == "refresh-1");
  rig.pass(24h);
  CHECK(rig.endpoint.issued < 2 + 24 * 60 / 48);
}

TEST_CASE("oauth: however many connections ask, one refresh is under way") {
  OAuthRig rig;
  rig.store(consented());
  rig.start();
  std::vector<std::string> got;
  io::Nursery lanes(rig.loop);
  auto ask = [&]() -> Task<void> {
    auto token = co_await rig.tokens->token("main", {});
    got.emplace_back(token->reveal());
  };
  for (int i = 0; i < 20; ++i) lanes.spawn(ask());
  rig.loop.run(lanes.drained({}));
  CHECK(got == std::vector<std::string>(20, "access-1"));
  CHECK(rig.endpoint.forms.size() == 1);
}

TEST_CASE(
    "oauth: what the provider gives is on the disk before a lane gets it, the rotated refresh token "
    "included") {
  OAuthRig rig;
  rig.store(consented());
  rig.start();
  CHECK(rig.token() == "access-1");
  CHECK(rig.stored()->refresh_token == Secret("refresh-1"));
  rig.stop();
  rig.start();  // as after a restart
  CHECK(rig.token() == "access-1");
  CHECK(rig.endpoint.forms.size() == 1);
}

TEST_CASE(
    "oauth: an hour without the provider costs nothing while the token holds, and then mail waits for a "
    "minute more") {
  OAuthRig rig;
  rig.store(consented());
  rig.start();
  CHECK(rig.token() == "access-1");
  rig.pass(45min);
  rig.endpoint.is_reachable = false;
  rig.pass(14min);
  CHECK(rig.token() == "access-1");
  rig.pass(2min);
  CHECK(rig.token() == "oauth_unreachable: no connection to https://token.example");
  const auto asked = rig.endpoint.forms.size();
  CHECK(asked > 2);
  CHECK(rig.token().starts_with("oauth_unreachable"));  // a lane's probe does not ask again
  CHECK(rig.endpoint.forms.size() == asked);
  rig.pass(44min);
  CHECK(rig.endpoint.forms.size() < asked + 8);
  rig.endpoint.is_reachable = true;
  rig.wakes = 0;
  rig.pass(11min);
  CHECK(rig.token() == "access-2");
  CHECK(rig.wakes == 1);
  CHECK(rig.lines.size() == 2);
}

TEST_CASE("oauth: each answer that may pass by itself is tried again, and Retry-After is heeded") {
  for (const auto& [status, body] :
       std::vector<std::pair<int, std::string>>{{500, "oops"},
                                                {503, "{}"},
                                                {429, R"({"error":"slow"})"},
                                                {408, ""},
                                                {200, "<html>proxy</html>"},
                                                {302, ""},
                                                {200, R"({"token_type":"x"})"}}) {
    CAPTURE(status);
    OAuthRig rig;
    rig.store(consented());
    rig.endpoint.scripted = {{status, body}};
    rig.endpoint.retry_after = 5min;
    rig.start();
    CHECK(rig.token().starts_with("oauth_unreachable: "));
    rig.pass(4min);
    CHECK(rig.endpoint.forms.size() == 1);
    rig.pass(2min);
    CHECK(rig.token() == "access-1");
  }
}

TEST_CASE(
    "oauth: a refused consent is told once, tried again every six hours and at a reload, and never thrown "
    "away") {
  OAuthRig rig;
  rig.store(consented());
  for (int i = 0; i < 3; ++i) rig.endpoint.scripted.emplace_back(400, kRevoked);
  rig.start();
  CHECK(rig.token() == "oauth_consent_needed: invalid_grant: AADSTS700082: The refresh token has expired.");
  rig.pass(5h);
  CHECK(rig.endpoint.forms.size() == 1);
  rig.pass(2h);
  CHECK(rig.endpoint.forms.size() == 2);
  rig.tokens->configure("/nowhere", {oauth_smarthost()});
  rig.pass(1s);
  CHECK(rig.endpoint.forms.size() == 3);
  CHECK(rig.lines.size() == 1);
  CHECK(rig.stored()->refresh_token == Secret("refresh-0"));
  CHECK(rig.stored()->refused.starts_with("invalid_grant"));
  CHECK(rig.tokens->report("main")->needs_operator);
  rig.pass(6h + 1min);
  CHECK(rig.token() == "access-1");
  CHECK(!rig.tokens->report("main")->needs_operator);
}

TEST_CASE("oauth: a refused client is another matter than a refused consent") {
  OAuthRig rig;
  rig.store(consented());
  rig.endpoint.scripted = {
      {401, R"({"error":"invalid_client","error_description":"AADSTS7000222: expired"})"}};
  rig.start();
  CHECK(rig.token() == "oauth_client_refused: invalid_client: AADSTS7000222: expired");
}

TEST_CASE("oauth: without consent nothing is asked, and `oauth login` lets waiting mail go") {
  OAuthRig rig;
  rig.start();
  CHECK(rig.token() == "oauth_consent_needed: ");
  rig.pass(24h);
  CHECK(rig.endpoint.forms.empty());
  StoredToken token = consented("from-login");
  token.access_token = Secret("access-login");
  token.lifetime = 1h;
  token.obtained = token.consented = rig.clock.wall();
  token.expires = token.obtained + 1h;
  CHECK(rig.loop.run(rig.tokens->find("main")->adopt(token)));
  CHECK(rig.wakes == 1);
  CHECK(rig.token() == "access-login");
  CHECK(rig.stored()->refresh_token == Secret("from-login"));
}

TEST_CASE("oauth: after a refused log-in an old token is made anew once, and a fresh one is not") {
  OAuthRig rig;
  rig.store(consented());
  rig.start();
  CHECK(rig.token() == "access-1");
  CHECK(rig.newer_than("access-1") == "none");
  rig.pass(2min);
  CHECK(rig.newer_than("access-1") == "access-2");
  CHECK(rig.newer_than("access-1") == "access-2");  // another connection's
  CHECK(rig.endpoint.forms.size() == 2);
}

TEST_CASE("oauth: a consent that is never used is used once a week") {
  OAuthRig rig;
  rig.endpoint.lifetime = 90 * 24 * 3600;
  rig.store(consented());
  rig.start();
  rig.pass(30 * 24h);
  CHECK(rig.endpoint.forms.size() == 5);
}

TEST_CASE("oauth: tokens of another client or user than the configuration's are not used") {
  OAuthRig rig;
  StoredToken token = consented();
  token.client = client_mark("another");
  rig.store(token);
  rig.start();
  CHECK(rig.token() == "oauth_consent_needed: ");
}

TEST_CASE("oauth: a token that cannot be kept is told, used all the same, and kept when that is possible") {
  OAuthRig rig;
  rig.store(consented());
  rig.disk_.fail_at(DiskStep::flush, 1, std::errc::io_error, 3);
  rig.start();
  CHECK(rig.token() == "access-1");
  REQUIRE(rig.lines.size() == 1);
  CHECK(rig.lines[0].find("cannot be kept") != std::string::npos);
  rig.pass(10min);
  CHECK(rig.stored()->refresh_token == Secret("refresh-1"));
  CHECK(rig.endpoint.forms.size() == 1);
}

TEST_CASE("oauth: no line of the log holds a token") {
  OAuthRig rig;
  rig.store(consented("secret-refresh-token"));
  rig.endpoint.scripted = {
      {400, R"({"error":"invalid_grant","error_description":"the token secret-refresh-token is revoked"})"}};
  rig.start();
  CHECK(rig.token() == "oauth_consent_needed: invalid_grant: the token *** is revoked");
  for (const std::string& line : rig.lines) CHECK(line.find("secret-refresh") == std::string::npos);
}
