// SPDX-License-Identifier: MIT
// The client against Cyrus' own server side: what it says must convince the library that most servers are
// built on.
#include "smtpc/sasl_client.h"

#include "doctest/doctest.h"
#include "tests/unit/smtpc/sasl_server.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;
using hikyaku::test::SaslServer;

namespace {

SaslClient::Options options(std::string user, std::string password, bool plaintext_allowed = true) {
  SaslClient::Options made;
  made.host = "smtp.example";
  made.plaintext_allowed = plaintext_allowed;
  made.credentials.user = std::move(user);
  made.credentials.password = Secret(std::move(password));
  return made;
}

// Who the server takes us for; empty: it refuses. The client must then be content, too.
std::string log_in(const std::string& mechanism, SaslClient::Options with) {
  auto client = SaslClient::create(mechanism, std::move(with));
  REQUIRE(client);
  SaslServer server;
  auto challenge = server.start(mechanism, (*client)->initial_response());
  while (challenge) {
    auto response = (*client)->step(*challenge);
    if (!response) return "client: " + response.error().text;
    if (server.is_complete()) break;
    challenge = server.step(*response);
  }
  if (server.is_complete()) CHECK((*client)->is_complete());
  return server.user();
}

}  // namespace

TEST_CASE("smtpc: every password mechanism logs in at Cyrus' own server") {
  for (const char* mechanism : {"PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"}) {
    INFO(std::string(mechanism));
    CHECK(log_in(mechanism, options("me", "pass word")) == "me");
    CHECK(log_in(mechanism, options("me", "wrong")) == "");
    CHECK(log_in(mechanism, options("nobody", "pass word")) == "");
  }
}

TEST_CASE("smtpc: PLAIN is authzid, NUL, user, NUL, password") {
  auto with = options("me", "pass word");
  auto plain = SaslClient::create("PLAIN", with);
  REQUIRE(plain);
  CHECK((*plain)->initial_response() == std::string("\0me\0pass word", 13));
  CHECK((*plain)->is_complete());
  with.credentials.authzid = "boss";
  auto for_boss = SaslClient::create("PLAIN", with);
  REQUIRE(for_boss);
  CHECK((*for_boss)->initial_response() == std::string("boss\0me\0pass word", 17));
}

TEST_CASE("smtpc: EXTERNAL names who it wants to be, or nobody") {
  auto with = options("", "");
  auto nobody = SaslClient::create("EXTERNAL", with);
  REQUIRE_MESSAGE(nobody, nobody.error().text);
  CHECK((*nobody)->initial_response() == "");
  with.credentials.authzid = "app";
  auto app = SaslClient::create("EXTERNAL", with);
  REQUIRE(app);
  CHECK((*app)->initial_response() == "app");
}

TEST_CASE("smtpc: DIGEST-MD5 takes the configured realm, else the server's") {
  const char* challenge =
      "realm=\"a.example\",realm=\"b.example\",nonce=\"n\",qop=\"auth\",charset=utf-8,algorithm=md5-sess";
  auto with = options("me", "pass word");
  for (const char* realm : {"a.example", "b.example"}) {
    auto client = SaslClient::create("DIGEST-MD5", with);
    REQUIRE(client);
    auto response = (*client)->step(challenge);
    REQUIRE(response);
    CHECK(response->find("realm=\"" + std::string(realm) + "\"") != response->npos);
    CHECK(response->find("digest-uri=\"smtp/smtp.example\"") != response->npos);
    CHECK(response->find("qop=auth,") != response->npos);
    with.credentials.realm = "b.example";
  }
}

TEST_CASE("smtpc: no mechanism that shows the password unless that is allowed") {
  for (const char* mechanism : {"PLAIN", "LOGIN"}) {
    CHECK(is_plaintext(mechanism));
    auto client = SaslClient::create(mechanism, options("me", "secret", false));
    REQUIRE_FALSE(client);
    CHECK(client.error().kind == SaslErrorKind::unusable);
    CHECK(client.error().text.find("secret") == std::string::npos);
  }
  CHECK_FALSE(is_plaintext("CRAM-MD5"));
  CHECK(SaslClient::create("CRAM-MD5", options("me", "secret", false)));
}

TEST_CASE("smtpc: a missing plug-in is reported with the package to install") {
  CHECK(available_mechanisms().contains("PLAIN"));
  CHECK_FALSE(available_mechanisms().contains("XYMCOOKIE"));
  auto client = SaslClient::create("GSSAPI-OF-OLD", options("me", "secret"));
  REQUIRE_FALSE(client);
  CHECK(client.error().kind == SaslErrorKind::no_plugin);
  CHECK(client.error().text ==
        "the SASL plug-in for GSSAPI-OF-OLD is missing; install libsasl2-modules-gssapi-mit");
  CHECK(package_of("SCRAM-SHA-256") == "libsasl2-modules");
}

TEST_CASE("smtpc: a challenge that the mechanism does not allow ends the log-in") {
  struct {
    const char* mechanism;
    std::string challenge;
  } const kCases[] = {
      {"DIGEST-MD5", "nonsense"},
      {"DIGEST-MD5", std::string("realm=\"\0\"\r\n", 11)},
      {"DIGEST-MD5", ""},
      {"SCRAM-SHA-1", "r=short,s=c2FsdA==,i=4096"},
      {"SCRAM-SHA-1", "r=x,s=c2FsdA==,i=4294967295"},
      {"SCRAM-SHA-1", std::string(100'000, 'x')},
  };
  for (const auto& row : kCases) {
    INFO(row.challenge.substr(0, 40));
    auto client = SaslClient::create(row.mechanism, options("me", "secret"));
    REQUIRE(client);
    auto response = (*client)->step(row.challenge);
    REQUIRE_FALSE(response);
    CHECK(response.error().kind == SaslErrorKind::bad_challenge);
    CHECK_FALSE((*client)->is_complete());
  }
}

TEST_CASE("smtpc: a SCRAM challenge cannot keep the event loop busy") {
  auto client = SaslClient::create("SCRAM-SHA-256", options("me", "secret"));
  REQUIRE(client);
  std::string nonce = (*client)->initial_response()->substr((*client)->initial_response()->find("r=") + 2);
  auto response = (*client)->step("r=" + nonce + "more,s=c2FsdA==,i=2000000000");
  REQUIRE_FALSE(response);
  CHECK(response.error().text == "the server asks for an absurd number of iterations");
}
