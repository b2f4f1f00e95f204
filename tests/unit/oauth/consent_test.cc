// SPDX-License-Identifier: MIT
// Consent by browser and by device.
#include "daemon/oauth/consent.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "daemon/base/fd.h"
#include "daemon/oauth/jwt.h"
#include "daemon/oauth/token_import.h"
#include "tests/unit/oauth/oauth_rig.h"

using namespace hikyaku;
using namespace hikyaku::oauth;
using namespace hikyaku::test;

namespace {

mail::OAuthSettings browser_settings() {
  mail::OAuthSettings settings = *oauth_smarthost().oauth;
  settings.authorize_url = "https://login.example/authorize";
  settings.device_url = "https://login.example/device";
  settings.issuer = "https://login.example/{tenantid}/v2.0";
  return settings;
}

// What a browser hears that asks for this target.
std::string heard(std::uint16_t port, const std::string& request) {
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return "";
  static_cast<void>(::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL));
  std::string text;
  char block[512];
  for (ssize_t got = 0; (got = ::recv(fd.get(), block, sizeof block, 0)) > 0;)
    text.append(block, static_cast<std::size_t>(got));
  return text;
}

}  // namespace

TEST_CASE("oauth: the browser's URL has PKCE and a state of its own each time") {
  const auto settings = browser_settings();
  const auto consent = begin_consent(settings, "me@example.com", 4711);
  CHECK(consent.url.starts_with("https://login.example/authorize?response_type=code&client_id=client"));
  CHECK(consent.url.find("redirect_uri=http%3A%2F%2F127.0.0.1%3A4711&") != std::string::npos);
  CHECK(consent.url.find("scope=SMTP.Send%20offline_access") != std::string::npos);
  CHECK(consent.url.find("code_challenge=" + to_base64url(sha256(consent.verifier.reveal())) +
                         "&code_challenge_method=S256") != std::string::npos);
  CHECK(consent.url.find(std::string(consent.verifier.reveal())) == std::string::npos);
  CHECK(consent.state.size() == 22);
  std::set<std::string> states;
  for (int i = 0; i < 50; ++i) states.insert(begin_consent(settings, "me", 1).state);
  CHECK(states.size() == 50);
}

TEST_CASE("oauth: RFC 7636's example of a challenge") {
  CHECK(to_base64url(sha256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")) ==
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

TEST_CASE("oauth: only a redirect with our state counts, and the issuer must be the one that was asked") {
  const auto settings = browser_settings();
  const auto consent = begin_consent(settings, "me@example.com", 4711);
  auto kind = [&](const std::string& target) { return understand_redirect(target, consent, settings).kind; };
  const std::string ours = "state=" + consent.state;
  CHECK(kind("/?code=abc&" + ours) == RedirectKind::code);
  CHECK(kind("http://127.0.0.1:4711/?code=abc&" + ours + "&session_state=x#frag") == RedirectKind::code);
  CHECK(understand_redirect("/?code=a%2Fb%20c&" + ours, consent, settings).code == Secret("a/b c"));
  CHECK(kind("/?code=abc&" + ours + "&iss=https%3A%2F%2Flogin.example%2F12-34%2Fv2.0") == RedirectKind::code);
  CHECK(kind("/?code=abc&" + ours + "&iss=https%3A%2F%2Fevil.example%2F12%2Fv2.0") == RedirectKind::refused);
  CHECK(kind("/?code=abc&" + ours + "&iss=https://login.example/a/b/v2.0") == RedirectKind::refused);
  CHECK(understand_redirect("/?error=access_denied&" + ours, consent, settings).text == "access_denied");
  for (const std::string& target : {std::string("/favicon.ico"), std::string("/"), std::string("/?code=abc"),
                                    std::string("/?code=abc&state=x"), "/other?code=abc&" + ours, "/?" + ours,
                                    "/?code=abc&state=&" + ours, "/?code=a&code=b&" + ours, std::string("")})
    CHECK_MESSAGE(kind(target) == RedirectKind::not_ours, target);
}

TEST_CASE("oauth: the listener answers 404 to everything else, waits on, and repeats nothing of the query") {
  const auto settings = browser_settings();
  auto listener = RedirectListener::open(0);
  REQUIRE(listener);
  const auto consent = begin_consent(settings, "me@example.com", listener->port());
  std::vector<std::string> said;
  std::thread browser([&] {
    const std::uint16_t port = listener->port();
    said.push_back(heard(port, "GET /favicon.ico HTTP/1.1\r\n\r\n"));
    said.push_back(heard(port, "GET /?code=stolen&state=guessed HTTP/1.1\r\n\r\n"));
    said.push_back(heard(port, "POST /?code=x&state=" + consent.state + " HTTP/1.1\r\n\r\n"));
    said.push_back(
        heard(port, "GET /?code=right-code&state=" + consent.state + " HTTP/1.1\r\nHost: x\r\n\r\n"));
  });
  auto redirect = listener->wait(consent, settings, 60s);
  browser.join();
  REQUIRE(redirect);
  CHECK(redirect->code == Secret("right-code"));
  for (int i : {0, 1, 2}) CHECK(said[static_cast<std::size_t>(i)].starts_with("HTTP/1.1 404"));
  CHECK(said[3].starts_with("HTTP/1.1 200"));
  for (const std::string& each : said)
    for (const char* part : {"code", "guessed", "right"}) CHECK(each.find(part) == std::string::npos);
  CHECK(!listener->wait(consent, settings, 10ms));
}

TEST_CASE("oauth: the device flow asks at the provider's pace, and slower when it is told to") {
  FakeEndpoint endpoint;
  ManualClock clock;
  std::vector<Duration> pauses;
  auto pause = [&](Duration time) {
    pauses.push_back(time);
    clock.advance(time);
    return true;
  };
  const DeviceCode code{.device_code = Secret("d"),
                        .user_code = "U",
                        .url = "u",
                        .complete_url = "",
                        .lifetime = 10min,
                        .interval = 5s};
  const std::string pending = R"({"error":"authorization_pending"})";
  endpoint.scripted = {{400, pending}, {400, R"({"error":"slow_down"})"}, {400, pending}};
  auto grant = wait_for_device(browser_settings(), code, endpoint, clock, pause);
  REQUIRE(grant);
  CHECK(pauses == std::vector<Duration>{5s, 5s, 10s, 10s});
  CHECK(endpoint.forms.at(0)["device_code"] == "d");
  endpoint.scripted = {{400, R"({"error":"access_denied"})"}};
  CHECK(wait_for_device(browser_settings(), code, endpoint, clock, pause).error().text == "access_denied");
  for (int i = 0; i < 200; ++i) endpoint.scripted.emplace_back(400, pending);
  CHECK(wait_for_device(browser_settings(), code, endpoint, clock, pause).error().text ==
        "nobody has typed the code in time");
  CHECK(endpoint.scripted.size() > 70);
}

TEST_CASE("oauth: the tokens of sasl-xoauth2 are taken over") {
  auto token =
      import_sasl_xoauth2(R"({"access_token":"a","expiry":"1790000000","refresh_token":"r","user":"me"})");
  REQUIRE(token);
  CHECK(token->refresh_token == Secret("r"));
  CHECK(token->expires == WallTime(std::chrono::seconds(1'790'000'000)));
  CHECK(import_sasl_xoauth2("{}").error() == "has no `refresh_token`");
  CHECK(kind_of_token_file("{\n") == TokenFileKind::sasl_xoauth2);
  CHECK(kind_of_token_file("[me]\ntoken_salt = x\n") == TokenFileKind::email_oauth2_proxy);
  CHECK(kind_of_token_file("hello") == TokenFileKind::unknown);
}

TEST_CASE("oauth: the tokens of email-oauth2-proxy are taken over with the password that its clients have") {
  // Made with Python's cryptography as that program does: PBKDF2 of the password, then Fernet.
  const std::string file =
      "[Server setup]\n[SMTP-1587]\nserver_address = "
      "smtp.office365.com\n\n[other@example.com]\nrefresh_token = x\n"
      "[me@example.com]\n# a comment\ntoken_salt = MDEyMzQ1Njc4OWFiY2RlZg==\naccess_token = "
      "gAAAAABqsTuAqvA650Pz__qRV07SvYa0H0i31oWV9Nd5J1_qisvyxzDRyhC3aNOnWmLr2uMtgbLdOmb8JQABPutyUBHXh2iTKg==\n"
      "access_token_expiry = 1790003600\nrefresh_token = "
      "gAAAAABqsTuAyv4qv_o5RSwMLscDI2I8iHPGAPObaXb4P-rZt5QYXGKW_12CPh_aJjf8U_3nvM6Q1_NYg6idHdtuZYlShUOWlA=="
      "\n";
  auto token = import_email_oauth2_proxy(file, "me@example.com", Secret("client password"));
  REQUIRE_MESSAGE(token, token.error());
  CHECK(token->refresh_token == Secret("proxy-refresh"));
  CHECK(token->access_token == Secret("proxy-access"));
  CHECK(token->expires == WallTime(std::chrono::seconds(1'790'003'600)));
  CHECK(import_email_oauth2_proxy(file, "me@example.com", Secret("wrong")).error() ==
        "has tokens that this password does not open");
  CHECK(import_email_oauth2_proxy(file, "nobody@example.com", Secret("x")).error() ==
        "has no section [nobody@example.com]");
  CHECK(!import_email_oauth2_proxy(file, "other@example.com", Secret("x")));
}
