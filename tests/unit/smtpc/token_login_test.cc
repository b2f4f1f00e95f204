// SPDX-License-Identifier: MIT
// Logging in with tokens, against the replies of Gmail, Microsoft and Dovecot.
#include "daemon/base/base64.h"
#include "daemon/base/text.h"
#include "daemon/mail/diagnosis.h"
#include "doctest/doctest.h"
#include "smtpc/login.h"
#include "smtpc/token_source.h"
#include "tests/unit/smtpc/client_rig.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;
using namespace hikyaku::test;
using mail::FailureKind;

namespace {

constexpr const char* kToken = "ya29.first-token-0123456789";
constexpr const char* kSecondToken = "ya29.other-token-9876543210";
constexpr const char* kMicrosoft =
    "S: 535 5.7.3 Authentication unsuccessful [FR3P281CA0001.DEUP281.PROD.OUTLOOK.COM]\n";

struct FakeTokens final : TokenSource {
  Task<Result<Secret, TokenRefusal>> token(std::string, io::Until) override {
    ++asked;
    if (refusal) co_return std::unexpected(*refusal);
    co_return Secret(kToken);
  }
  Task<Result<std::optional<Secret>, TokenRefusal>> newer_than(std::string, Secret refused,
                                                               io::Until) override {
    CHECK(refused == Secret(kToken));
    ++refreshed;
    co_return has_newer ? std::optional(Secret(kSecondToken)) : std::nullopt;
  }
  mail::OAuthFacts facts(const std::string&) const override { return known; }
  std::optional<mail::OAuthReport> report(const std::string&) const override { return std::nullopt; }

  std::optional<TokenRefusal> refusal;
  bool has_newer = false;
  mail::OAuthFacts known{};
  int asked = 0;
  int refreshed = 0;
};

struct TokenRig : ClientRig {
  TokenRig() {
    smarthost.allow_plaintext_auth = true;
    smarthost.user = "me@example.com";
    smarthost.oauth.emplace();
    tokens = &source;
  }

  // What the client says with this token, in Base64.
  std::string response(std::string_view name, const char* token = kToken) const {
    return to_base64(bearer_response(name, smarthost, Secret(token)).reveal());
  }
  std::string login(std::string_view name, const char* token = kToken) const {
    return cat("C: AUTH ", name, "\nS: 334 \nC: ", response(name, token), "\n");
  }
  Result<void, Refusal> attempt(const std::string& offered, const std::string& script) {
    Result<void, Refusal> opened;
    run(hello({offered}) + script, [&](Client& client) -> Task<void> {
      opened = co_await client.open();
      mechanism = client.mechanism();
      wants_new_connection = client.wants_new_connection();
    });
    CHECK(problem == "");
    return opened;
  }
  mail::Failure refused(const std::string& offered, const std::string& script) {
    auto opened = attempt(offered, script);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().verdict.action == Action::pause_lane);
    CHECK(opened.error().failure.stage == mail::Stage::auth);
    CHECK(mail::diagnose(opened.error().failure).find("-token-") == std::string::npos);
    return opened.error().failure;
  }

  FakeTokens source;
  std::string mechanism;
  bool wants_new_connection = false;
};

std::string refusal_of(const std::string& json) { return cat("S: 334 ", to_base64(json), "\n"); }

constexpr const char* kGmail = "AUTH LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH";

}  // namespace

TEST_CASE("smtpc: the responses are those of RFC 7628 and of Google's page on XOAUTH2") {
  mail::Smarthost smarthost;
  smarthost.user = "us,er=x@example.com";
  smarthost.host = "server.example.com";
  smarthost.port = 587;
  const Secret token("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==");
  CHECK(bearer_response("OAUTHBEARER", smarthost, token).reveal() ==
        "n,a=us=2Cer=3Dx@example.com,\x01host=server.example.com\x01port=587\x01"
        "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01");
  CHECK(bearer_response("XOAUTH2", smarthost, token).reveal() ==
        "user=us,er=x@example.com\x01"
        "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01");
}

TEST_CASE("smtpc: with `oauth` a token goes out in two steps, with the better of both mechanisms") {
  TokenRig rig;
  CHECK(rig.attempt(kGmail, rig.login("OAUTHBEARER") + "S: 235 2.7.0 Accepted"));
  CHECK(rig.mechanism == "OAUTHBEARER");
  CHECK(rig.source.asked == 1);
}

TEST_CASE("smtpc: Microsoft's XOAUTH2 gets a token of 4 KB on a line of its own") {
  TokenRig rig;
  CHECK(rig.attempt("AUTH LOGIN XOAUTH2", rig.login("XOAUTH2") + "S: 235 2.7.0 Authentication successful"));
  CHECK(rig.mechanism == "XOAUTH2");
}

TEST_CASE("smtpc: `auth` restricts the mechanisms of a token, and passwords' mechanisms never see it") {
  TokenRig rig;
  rig.smarthost.mechanisms = {"XOAUTH2"};
  CHECK(rig.attempt(kGmail, rig.login("XOAUTH2") + "S: 235 2.7.0 Accepted"));
  rig.smarthost.mechanisms.clear();
  CHECK(rig.refused("AUTH LOGIN PLAIN SCRAM-SHA-256", "").kind == FailureKind::no_usable_mechanism);
  CHECK(rig.refused("SIZE 1000", "").kind == FailureKind::auth_not_offered);
  rig.smarthost.allow_plaintext_auth = false;
  CHECK(rig.refused(kGmail, "").kind == FailureKind::plaintext_auth_not_allowed);
  CHECK(rig.source.asked == 1);
}

TEST_CASE("smtpc: Gmail's refusal of a wrong scope ends with ^A and is told with both scopes") {
  TokenRig rig;
  rig.source.known.granted_scope = "https://www.googleapis.com/auth/gmail.send";
  auto failure = rig.refused(
      kGmail, cat(rig.login("OAUTHBEARER"),
                  refusal_of(R"({"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"})"),
                  "C: AQ==\nS: 535-5.7.8 Username and Password not accepted. For more information, go to\n"
                  "S: 535 5.7.8  https://support.google.com/mail/?p=BadCredentials x1 - gsmtp\n"));
  CHECK(failure.kind == FailureKind::oauth_scope);
  CHECK(failure.mechanism == "OAUTHBEARER");
  REQUIRE(failure.oauth);
  CHECK(failure.oauth->wanted_scope == "https://mail.google.com/");
  CHECK(rig.source.refreshed == 1);
}

TEST_CASE("smtpc: a refused token is made anew once, and tried once more on the same connection") {
  TokenRig rig;
  rig.source.has_newer = true;
  CHECK(rig.attempt("AUTH XOAUTH2", cat(rig.login("XOAUTH2"),
                                        refusal_of(R"({"status":"401","schemes":"bearer","scope":"mail"})"),
                                        "C: \nS: 535 5.7.8 Authentication failed.\n",
                                        rig.login("XOAUTH2", kSecondToken), "S: 235 2.7.0 Logged in.")));
  CHECK(rig.source.refreshed == 1);
}

TEST_CASE("smtpc: a refused fresh token stops the log-in, also Microsoft's without JSON") {
  TokenRig rig;
  CHECK(rig.refused("AUTH XOAUTH2", cat(rig.login("XOAUTH2"), kMicrosoft)).kind ==
        FailureKind::oauth_token_refused);
  rig.source.has_newer = true;
  auto failure = rig.refused(
      "AUTH XOAUTH2", cat(rig.login("XOAUTH2"), kMicrosoft, rig.login("XOAUTH2", kSecondToken), kMicrosoft));
  CHECK(failure.kind == FailureKind::oauth_token_refused);
  CHECK(rig.source.refreshed == 2);
}

TEST_CASE("smtpc: a smarthost that hangs up on a refused token is dialled again with the newer one") {
  TokenRig rig;
  rig.source.has_newer = true;
  auto failure = rig.refused("AUTH XOAUTH2", cat(rig.login("XOAUTH2"), "S: 535 5.7.3 no\nCLOSE"));
  CHECK(failure.kind == FailureKind::oauth_token_refused);
  CHECK(rig.wants_new_connection);
}

TEST_CASE("smtpc: Microsoft's \"Token will expire soon\" is an old token, and not an unknown mechanism") {
  TokenRig rig;
  rig.source.has_newer = true;
  CHECK(rig.attempt(
      "AUTH XOAUTH2",
      cat(rig.login("XOAUTH2"),
          "S: 501 5.5.127 Invalid XOAUTH2 auth data - Token will expire soon and refresh is needed\n",
          rig.login("XOAUTH2", kSecondToken), "S: 235 2.7.0 ok")));
}

TEST_CASE("smtpc: a mechanism that is offered and not understood gives way to the other") {
  TokenRig rig;
  CHECK(rig.attempt(kGmail, cat("C: AUTH OAUTHBEARER\nS: 504 5.5.4 Unrecognized authentication type\n",
                                rig.login("XOAUTH2"), "S: 235 2.7.0 Accepted")));
  CHECK(rig.mechanism == "XOAUTH2");
}

TEST_CASE("smtpc: without a token nothing is said, and the reason stands") {
  TokenRig rig;
  rig.source.refusal =
      TokenRefusal{FailureKind::oauth_consent_needed, "invalid_grant: Token has been revoked."};
  auto failure = rig.refused(kGmail, "");
  CHECK(failure.kind == FailureKind::oauth_consent_needed);
  CHECK(failure.detail == "invalid_grant: Token has been revoked.");
}

TEST_CASE("smtpc: a 235 that comes before the token is none") {
  TokenRig rig;
  CHECK(rig.refused("AUTH XOAUTH2", "C: AUTH XOAUTH2\nS: 235 2.7.0 welcome").kind ==
        FailureKind::auth_protocol_error);
}

TEST_CASE("smtpc: a peer that repeats the tokens is masked, both the refused and the newer one") {
  TokenRig rig;
  rig.source.has_newer = true;
  auto failure =
      rig.refused("AUTH XOAUTH2", cat(rig.login("XOAUTH2"), "S: 535 5.7.8 not ", kToken, "\n",
                                      rig.login("XOAUTH2", kSecondToken), "S: 535 5.7.8 neither ", kToken,
                                      " nor ", rig.response("XOAUTH2", kSecondToken), "\n"));
  REQUIRE(failure.reply);
  CHECK(failure.reply->lines.front().find("neither") != std::string::npos);
  CHECK(failure.reply->lines.front().find("***") != std::string::npos);
  for (const char* part : {"first-token", "other-token", "YXV0aD1CZWFyZXIg"})
    CHECK(failure.reply->lines.front().find(part) == std::string::npos);
}

TEST_CASE("smtpc: what a connection has shown is masked on the next one, from the greeting on") {
  TokenRig rig;
  REQUIRE(rig.attempt("AUTH XOAUTH2", rig.login("XOAUTH2") + "S: 235 2.7.0 Accepted"));
  Result<void, Refusal> opened;
  rig.run(cat("S: 554 5.3.2 I remember ", kToken),
          [&](Client& client) -> Task<void> { opened = co_await client.open(); });
  REQUIRE_FALSE(opened);
  const std::string said = mail::diagnose(opened.error().failure);
  CHECK_MESSAGE(said.find("I remember ***") != std::string::npos, said);
  CHECK(said.find("first-token") == std::string::npos);
}

TEST_CASE("smtpc: a refusal's challenge may be anything") {
  CHECK(scope_of_refusal(R"({"status":"invalid_token"})") == "");
  CHECK(scope_of_refusal("<html>") == "");
  CHECK(scope_of_refusal(R"({"scope":17})") == "");
  CHECK(scope_of_refusal("{\"scope\":\"a\\u001b[2Jb\"}").find('\x1b') == std::string::npos);
}
