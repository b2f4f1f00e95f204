// SPDX-License-Identifier: MIT
// The dialogue of logging in, over an unencrypted connection where the mechanism or the configuration allows
// that.
#include "smtpc/login.h"

#include "daemon/base/base64.h"
#include "daemon/base/text.h"
#include "doctest/doctest.h"
#include "tests/support/peers/test_certificates.h"
#include "tests/unit/smtpc/client_rig.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;
using namespace hikyaku::test;
using mail::FailureKind;

namespace {

// \0me\0secret
constexpr const char* kPlain = "C: AUTH PLAIN AG1lAHNlY3JldA==\n";
constexpr const char* kRefused =
    "S: 535-5.7.8 Username and Password not accepted.\nS: 535 5.7.8 Learn more\n";
constexpr const char* kAskUser = "S: 334 VXNlcm5hbWU6\nC: bWU=\n";
constexpr const char* kAskPassword = "S: 334 UGFzc3dvcmQ6\nC: c2VjcmV0\n";

struct LoginRig : ClientRig {
  explicit LoginRig(std::vector<std::string> mechanisms = {}) {
    smarthost.allow_plaintext_auth = true;
    smarthost.mechanisms = std::move(mechanisms);
    smarthost.credentials.emplace();
    smarthost.credentials->user = "me";
    smarthost.credentials->password = Secret("secret");
    smarthost.credentials->origin = "authinfo:3";
  }

  // What open() failed with after EHLO with these mechanisms.
  mail::Failure refused(const std::string& mechanisms, const std::string& script) {
    auto opened = attempt(mechanisms, script);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().verdict.action == Action::pause_lane);
    CHECK(opened.error().failure.concerns == mail::Concerns::smarthost);
    CHECK(opened.error().failure.stage == mail::Stage::auth);
    CHECK(problem == "");
    return opened.error().failure;
  }

  // Whether it logged in.
  bool accepted(const std::string& mechanisms, const std::string& script) {
    auto opened = attempt(mechanisms, script);
    CHECK(problem == "");
    return opened.has_value();
  }

  Result<void, Refusal> attempt(const std::string& mechanisms, const std::string& script) {
    Result<void, Refusal> opened;
    run(hello({"AUTH " + mechanisms}) + script, [&](Client& client) -> Task<void> {
      opened = co_await client.open();
      wants_new_connection = client.wants_new_connection();
      mechanism = client.mechanism();
    });
    return opened;
  }

  bool wants_new_connection = false;
  std::string mechanism;
};

}  // namespace

TEST_CASE("smtpc: PLAIN goes out with its initial response") {
  LoginRig rig;
  CHECK(rig.accepted("PLAIN LOGIN", std::string(kPlain) + "S: 235 ok, go ahead (#2.0.0)"));
  CHECK(rig.mechanism == "PLAIN");
  CHECK(rig.knowledge.login.worked == "PLAIN");
}

TEST_CASE("smtpc: LOGIN answers two questions") {
  LoginRig rig;
  rig.pair.largest_read = 1;
  CHECK(rig.accepted("LOGIN", cat("C: AUTH LOGIN\n", kAskUser, kAskPassword, "S: 235 2.7.0 welcome")));
}

TEST_CASE("smtpc: DIGEST-MD5's second challenge gets an empty line") {
  // The server's proof depends on our nonce, so here it is a wrong one: the log-in ends with "*".
  LoginRig rig;
  std::string challenge = to_base64("realm=\"r\",nonce=\"n\",qop=\"auth\",charset=utf-8,algorithm=md5-sess");
  auto failure =
      rig.refused("DIGEST-MD5", cat("C: AUTH DIGEST-MD5\nS: 334 ", challenge, "\nC* dXNlcm5hbWU9\nS: 334 ",
                                    to_base64("rspauth=00"), "\nC: *\nS: 501 cancelled"));
  CHECK(failure.kind == FailureKind::auth_protocol_error);
}

TEST_CASE("smtpc: an empty initial response is an equals sign") {
  LoginRig rig({"EXTERNAL"});
  rig.smarthost.credentials.reset();
  CHECK(rig.accepted("EXTERNAL PLAIN", "C: AUTH EXTERNAL =\nS: 235 ok"));
}

TEST_CASE("smtpc: without an entry nothing of the log-in is said") {
  LoginRig rig;
  rig.smarthost.credentials.reset();
  CHECK(rig.accepted("PLAIN", ""));
  CHECK(rig.mechanism == "");
}

TEST_CASE("smtpc: no password leaves an unencrypted connection unless that is allowed") {
  LoginRig rig;
  rig.smarthost.allow_plaintext_auth = false;
  auto failure = rig.refused("PLAIN LOGIN", "");
  CHECK(failure.kind == FailureKind::plaintext_auth_not_allowed);
  CHECK(failure.offered == std::vector<std::string>{"PLAIN", "LOGIN"});
}

TEST_CASE("smtpc: with TLS a password may be said in it") {
  LoginRig rig;
  rig.smarthost.allow_plaintext_auth = false;
  rig.set_tls(mail::TlsMode::implicit, test_certificates().good.cert, test_certificates().good.key);
  CHECK(rig.open(cat("TLS\n", hello({"AUTH=LOGIN PLAIN"}), kPlain, "S: 235 ok")));
  CHECK(rig.problem == "");
}

TEST_CASE("smtpc: an entry and nothing to use it with is a failure, never mail without log-in") {
  LoginRig rig;
  CHECK(rig.refused("NTLM XYMCOOKIE", "").kind == FailureKind::no_usable_mechanism);
  auto opened = rig.open(hello({"8BITMIME"}));
  REQUIRE_FALSE(opened);
  CHECK(opened.error().failure.kind == FailureKind::auth_not_offered);
  opened = rig.open(hello({"STARTTLS"}));
  REQUIRE_FALSE(opened);
  CHECK(opened.error().failure.kind == FailureKind::auth_only_after_tls);
}

TEST_CASE("smtpc: a mechanism that the smarthost turns down makes way for the next") {
  for (const char* refusal : {"504 5.5.4 no such", "534 5.7.4 too weak", "535 5.7.8 no", "500 what"}) {
    INFO(std::string(refusal));
    LoginRig rig;
    CHECK(rig.accepted("PLAIN LOGIN", cat(kPlain, "S: ", refusal, "\nC: AUTH LOGIN\n", kAskUser, kAskPassword,
                                          "S: 235 ok")));
    CHECK(rig.knowledge.login.worked == "LOGIN");
  }
}

TEST_CASE("smtpc: what no mechanism would mend ends the log-in at once, and nothing is remembered of it") {
  struct {
    const char* reply;
    FailureKind kind;
  } const kCases[] = {
      {"454 4.7.0 later", FailureKind::auth_temporary},
      {"432 4.7.12 new password needed", FailureKind::auth_temporary},
      {"534 5.7.9 app password", FailureKind::app_password_needed},
      {"535 5.7.30 basic authentication is off", FailureKind::basic_auth_disabled},
  };
  for (const auto& row : kCases) {
    INFO(std::string(row.reply));
    LoginRig rig;
    auto failure = rig.refused("PLAIN LOGIN", cat(kPlain, "S: ", row.reply));
    CHECK(mail::to_text(failure.kind) == mail::to_text(row.kind));
    CHECK(failure.mechanism == "PLAIN");
    CHECK(rig.knowledge.login.refused.empty());
    CHECK_FALSE(rig.wants_new_connection);
  }
}

TEST_CASE("smtpc: a wrong password is tried once with each family, then one mechanism a connection") {
  LoginRig rig;
  std::string both = cat(kPlain, kRefused, "C: AUTH LOGIN\n", kAskUser, kAskPassword, "S: 504 odd\n");
  auto failure = rig.refused("LOGIN PLAIN", both);
  CHECK(failure.kind == FailureKind::auth_rejected);
  CHECK(failure.user == "me");
  CHECK(failure.origin == "authinfo:3");
  CHECK(mail::to_text(*failure.reply) == "535 5.7.8 Username and Password not accepted. / 5.7.8 Learn more");
  CHECK(rig.refused("LOGIN PLAIN", cat(kPlain, kRefused)).kind == FailureKind::auth_rejected);
  CHECK(rig.refused("LOGIN PLAIN", cat("C: AUTH LOGIN\n", kAskUser, kAskPassword, kRefused)).kind ==
        FailureKind::auth_rejected);
  CHECK(rig.accepted("LOGIN PLAIN", cat(kPlain, "S: 235 ok")));
  CHECK(rig.knowledge.login.worked == "PLAIN");
}

TEST_CASE("smtpc: 535 after a log-in that once worked is final for this connection") {
  LoginRig rig;
  rig.knowledge.login.worked = "LOGIN";
  auto failure = rig.refused("PLAIN LOGIN", cat("C: AUTH LOGIN\n", kAskUser, kAskPassword, kRefused));
  CHECK(failure.kind == FailureKind::auth_rejected);
  CHECK(rig.knowledge.login.worked == "LOGIN");
}

TEST_CASE("smtpc: a peer that hangs up after a refusal is dialled again for the next mechanism") {
  for (const char* end : {"CLOSE", "C: AUTH LOGIN\nCLOSE", "C: AUTH LOGIN\nS: 421 too many errors\nCLOSE"}) {
    INFO(std::string(end));
    LoginRig rig;
    auto failure = rig.refused("PLAIN LOGIN", cat(kPlain, kRefused, end));
    CHECK(failure.kind == FailureKind::auth_rejected);
    CHECK(rig.wants_new_connection);
    CHECK(rig.accepted("PLAIN LOGIN", cat("C: AUTH LOGIN\n", kAskUser, kAskPassword, "S: 235 ok")));
  }
}

TEST_CASE("smtpc: a peer that hangs up for good is not dialled again at once") {
  LoginRig rig;
  CHECK(rig.refused("PLAIN", cat(kPlain, kRefused, "CLOSE")).kind == FailureKind::auth_rejected);
  CHECK_FALSE(rig.wants_new_connection);
  CHECK(rig.refused("PLAIN", cat(kPlain, "CLOSE")).kind == FailureKind::closed_early);
  CHECK_FALSE(rig.wants_new_connection);
}

TEST_CASE("smtpc: a challenge that is none is answered with an asterisk, and the mail waits") {
  struct {
    const char* mechanism;
    std::string script;
  } const kCases[] = {
      {"LOGIN", "C: AUTH LOGIN\nS: 334 not*base64\nC: *\nS: 501 ok"},
      {"LOGIN", "C: AUTH LOGIN\nS: 334-VXNlcm5hbWU6\nS: 334 VXNlcm5hbWU6\nC: *\nS: 501 ok"},
      {"PLAIN", cat(kPlain, "S: 334 VXNlcm5hbWU6\nC: *\nS: 501 ok")},
      {"DIGEST-MD5", "C: AUTH DIGEST-MD5\nS: 334 DQoA\nC: *\nCLOSE"},
      {"LOGIN", "C: AUTH LOGIN\nS: 235 already in"},
      {"SCRAM-SHA-1", "C* AUTH SCRAM-SHA-1 \nS: 235 no proof"},
      {"PLAIN", cat(kPlain, "S: 250 odd")},
      {"PLAIN", cat(kPlain, "S: 334 ", std::string(1 << 20, 'A'))},
  };
  for (const auto& row : kCases) {
    INFO(row.script.substr(0, 60));
    LoginRig rig;
    CHECK(rig.refused(row.mechanism, row.script).kind == FailureKind::auth_protocol_error);
    CHECK(rig.knowledge.login.worked == "");
  }
}

TEST_CASE("smtpc: endless challenges end with an asterisk") {
  LoginRig rig;
  std::string script =
      cat("C: AUTH LOGIN\n", kAskUser, kAskPassword, "S: 334 bW9yZT8=\nC: *\nS: 334 bW9yZT8=");
  CHECK(rig.refused("LOGIN", script).kind == FailureKind::auth_protocol_error);
}

TEST_CASE("smtpc: no failure of a log-in shows the password, in any encoding") {
  LoginRig rig;
  auto failure = rig.refused("PLAIN", cat(kPlain, "S: 535 no"));
  for (const std::string& text :
       {failure.detail, failure.user, failure.origin, mail::to_text(*failure.reply)}) {
    CHECK(text.find("secret") == text.npos);
    CHECK(text.find("AG1lAHNlY3JldA==") == text.npos);
  }
}
