// SPDX-License-Identifier: MIT
// From the connection to a session: greeting, EHLO, STARTTLS, and the side probe of a silent port.
#include "smtpc/opening.h"

#include "doctest/doctest.h"
#include "tests/support/peers/test_certificates.h"
#include "tests/unit/smtpc/client_rig.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;
using namespace hikyaku::test;
using mail::FailureKind;
using mail::Stage;
using mail::TlsMode;

namespace {

// What an open() failed with.
mail::Failure failure_of(const Result<void, Refusal>& opened) {
  REQUIRE_FALSE(opened);
  CHECK(opened.error().verdict.action == Action::pause_lane);
  CHECK(opened.error().failure.concerns == mail::Concerns::smarthost);
  return opened.error().failure;
}

void use_good_certificate(ClientRig& rig, TlsMode mode) {
  rig.set_tls(mode, test_certificates().good.cert, test_certificates().good.key);
}

const mail::Credentials kCredentials{.authzid = {},
                                     .user = "me",
                                     .password = Secret("secret"),
                                     .realm = {},
                                     .mechanisms = {},
                                     .origin = "authinfo:1"};

}  // namespace

TEST_CASE("smtpc: greeting and EHLO open a session, however the replies are cut") {
  for (std::size_t largest_read : {SIZE_MAX, std::size_t{1}}) {
    ClientRig rig;
    rig.pair.largest_read = largest_read;
    rig.run(
        "S: 220-mx.example\nS: 220 ready\nC: EHLO client.example\nS: 250-mx.example\nS: 250 SIZE 1000\n"
        "C: QUIT\nS: 221 bye\nCLOSE",
        [](Client& client) -> Task<void> {
          auto opened = co_await client.open();
          CHECK(opened);
          CHECK(client.is_usable());
          CHECK(client.capabilities().max_size == 1000);
          CHECK(client.capabilities().name == "mx.example");
          CHECK(client.address() == "192.0.2.1:587");
          CHECK(client.tls() == nullptr);
          co_await client.quit();
          CHECK_FALSE(client.is_usable());
        });
    CHECK(rig.problem == "");
  }
}

TEST_CASE("smtpc: a peer that does not know EHLO is asked with HELO, and offers nothing") {
  ClientRig rig;
  auto opened = rig.open(
      "S: 220 old.example\nC: EHLO client.example\nS: 500 what?\nC: HELO client.example\nS: 250 old");
  CHECK(opened);
  CHECK(rig.problem == "");
}

TEST_CASE("smtpc: a refusal before log-in is the smarthost's failure") {
  struct {
    const char* script;
    Stage stage;
    FailureKind kind;
  } const kCases[] = {
      {"S: 554 no service\n", Stage::greeting, FailureKind::smarthost_refuses},
      {"S: 421 too busy\nCLOSE", Stage::greeting, FailureKind::smarthost_refuses},
      {"S: 250 hello\n", Stage::greeting, FailureKind::protocol_error},
      {"R: HTTP/1.1 400 Bad\\r\\n\n", Stage::greeting, FailureKind::protocol_error},
      {"CLOSE", Stage::greeting, FailureKind::closed_early},
      {"S: 220 x\nC: EHLO client.example\nS: 550 who are you\n", Stage::ehlo, FailureKind::smarthost_refuses},
      {"S: 220 x\nC: EHLO client.example\nCLOSE", Stage::ehlo, FailureKind::closed_early},
      {"S: 220 x\nC: EHLO client.example\nS: 502 a\nC: HELO client.example\nS: 502 b", Stage::ehlo,
       FailureKind::smarthost_refuses},
      {"S: 220 x\nC: EHLO client.example\nSLEEP 301", Stage::ehlo, FailureKind::timed_out},
  };
  for (const auto& row : kCases) {
    INFO(std::string(row.script));
    ClientRig rig;
    mail::Failure failure = failure_of(rig.open(row.script));
    CHECK(mail::to_text(failure.kind) == mail::to_text(row.kind));
    CHECK(mail::to_text(failure.stage) == mail::to_text(row.stage));
    CHECK(failure.address == "192.0.2.1:587");
    CHECK(rig.problem == "");
  }
}

TEST_CASE("smtpc: all lines of a refusal are kept") {
  ClientRig rig;
  mail::Failure failure = failure_of(rig.open("S: 554-5.7.1 You are\nS: 554 5.7.1 not welcome\n"));
  REQUIRE(failure.reply);
  CHECK(mail::to_text(*failure.reply) == "554 5.7.1 You are / 5.7.1 not welcome");
}

TEST_CASE("smtpc: a greeting with our own token means that we talk to ourselves") {
  ClientRig rig;
  rig.instance_token = "k3j5h6";
  CHECK(failure_of(rig.open("S: 220 app.example hikyaku k3j5h6\n")).kind == FailureKind::ourselves);
  CHECK(rig.open(hello({})));
}

TEST_CASE("smtpc: STARTTLS forgets what was offered in clear and asks again") {
  ClientRig rig;
  use_good_certificate(rig, TlsMode::starttls);
  rig.run(hello({"STARTTLS", "AUTH PLAIN", "PIPELINING"}) +
              "C: STARTTLS\nS: 220 go\nTLS\nC: EHLO client.example\nS: 250-mx.example\nS: 250 SIZE 5\n",
          [](Client& client) -> Task<void> {
            auto opened = co_await client.open();
            CHECK(opened);
            REQUIRE(client.tls() != nullptr);
            CHECK(client.tls()->verified);
            CHECK(client.capabilities().mechanisms.empty());
            CHECK_FALSE(client.capabilities().pipelining);
            CHECK(client.capabilities().max_size == 5);
          });
  CHECK(rig.problem == "");
}

TEST_CASE("smtpc: what was offered in clear is forgotten even if EHLO is not understood any more") {
  ClientRig rig;
  use_good_certificate(rig, TlsMode::starttls);
  rig.run(hello({"STARTTLS", "SIZE 7", "PIPELINING"}) +
              "C: STARTTLS\nS: 220 go\nTLS\nC: EHLO client.example\nS: 502 no\nC: HELO client.example\nS: "
              "250 x\n",
          [](Client& client) -> Task<void> {
            auto opened = co_await client.open();
            CHECK(opened);
            CHECK(client.capabilities() == mail::Capabilities{});
          });
  CHECK(rig.problem == "");
}

TEST_CASE("smtpc: implicit TLS comes before the greeting") {
  ClientRig rig;
  use_good_certificate(rig, TlsMode::implicit);
  CHECK(rig.open("TLS\n" + hello({"STARTTLS"})));
  CHECK(rig.problem == "");
}

TEST_CASE("smtpc: bytes behind the 220 to STARTTLS abort before the handshake") {
  for (const char* injected : {"250-AUTH PLAIN\\r\\n", "250-AU", "\\r\\n"}) {
    ClientRig rig;
    use_good_certificate(rig, TlsMode::starttls);
    auto opened = rig.open(hello({"STARTTLS"}) + "C: STARTTLS\nR: 220 go\\r\\n" + injected);
    CHECK(failure_of(opened).kind == FailureKind::injected_after_starttls);
    CHECK(rig.problem == "");
  }
}

TEST_CASE("smtpc: where TLS is required nothing but EHLO and STARTTLS leaves in clear") {
  struct {
    const char* rest;
    FailureKind kind;
  } const kCases[] = {
      {"", FailureKind::starttls_not_offered},
      {"C: STARTTLS\nS: 454 not now", FailureKind::starttls_not_offered},
      {"C: STARTTLS\nS: 501 no", FailureKind::starttls_not_offered},
      {"C: STARTTLS\nS: 250 ok", FailureKind::protocol_error},
      {"C: STARTTLS\nS: 220 go\nSLEEP 1\nS: 250 plain text", FailureKind::tls_failed},
      {"C: STARTTLS\nS: 220 go\nCLOSE", FailureKind::closed_early},
  };
  for (TlsMode mode : {TlsMode::starttls, TlsMode::opportunistic})
    for (const auto& row : kCases) {
      INFO(std::string(row.rest));
      ClientRig rig;
      use_good_certificate(rig, mode);
      rig.smarthost.credentials = kCredentials;
      bool offered = row.rest[0] != '\0';
      auto script = hello({offered ? "STARTTLS" : "8BITMIME", "AUTH PLAIN"}) + row.rest;
      mail::Failure failure = failure_of(rig.open(script));
      CHECK(mail::to_text(failure.kind) == mail::to_text(row.kind));
      CHECK(failure.stage == Stage::tls);
      for (const std::string& line : rig.heard) CHECK_FALSE(line.starts_with("AUTH"));
    }
}

TEST_CASE("smtpc: EHLO refused means no STARTTLS, and that is the end where TLS is required") {
  ClientRig rig;
  use_good_certificate(rig, TlsMode::starttls);
  auto opened = rig.open("S: 220 x\nC: EHLO client.example\nS: 502 no\nC: HELO client.example\nS: 250 x");
  CHECK(failure_of(opened).kind == FailureKind::starttls_not_offered);
  CHECK(rig.problem == "");
}

TEST_CASE("smtpc: opportunistic TLS without credentials goes on in clear only if STARTTLS is not offered") {
  ClientRig rig;
  use_good_certificate(rig, TlsMode::opportunistic);
  CHECK(rig.open(hello({"8BITMIME"})));
  CHECK(rig.problem == "");
  CHECK_FALSE(rig.open(hello({"STARTTLS"}) + "C: STARTTLS\nS: 454 not now"));
  CHECK(rig.problem == "");
  rig.set_tls(TlsMode::opportunistic, test_certificates().expired.cert, test_certificates().expired.key);
  CHECK(failure_of(rig.open(hello({"STARTTLS"}) + "C: STARTTLS\nS: 220 go\nTLS")).kind ==
        FailureKind::tls_expired);
}

TEST_CASE("smtpc: with TLS off STARTTLS is not used although it is offered") {
  ClientRig rig;
  CHECK(rig.open(hello({"STARTTLS"})));
  CHECK(rig.problem == "");
}

TEST_CASE("smtpc: each fault of a certificate has its failure") {
  const TestCertificates& certificates = test_certificates();
  struct {
    const CertificateFiles& files;
    FailureKind kind;
  } const kCases[] = {
      {certificates.expired, FailureKind::tls_expired},
      {certificates.not_yet_valid, FailureKind::tls_not_yet_valid},
      {certificates.wrong_name, FailureKind::tls_wrong_name},
      {certificates.self_signed, FailureKind::tls_self_signed},
      {certificates.unknown_issuer, FailureKind::tls_unknown_issuer},
      {certificates.client, FailureKind::tls_failed},
  };
  for (const auto& row : kCases) {
    INFO(row.files.cert);
    ClientRig rig;
    rig.set_tls(TlsMode::implicit, row.files.cert, row.files.key);
    CHECK(mail::to_text(failure_of(rig.open("TLS\n" + hello({}))).kind) == mail::to_text(row.kind));
  }
}

TEST_CASE("smtpc: implicit TLS to a port that speaks plain SMTP is diagnosed at once") {
  ClientRig rig;
  use_good_certificate(rig, TlsMode::implicit);
  mail::Failure failure = failure_of(rig.open("S: 220 mx.example ESMTP\n"));
  CHECK(failure.kind == FailureKind::plain_on_implicit);
  CHECK(failure.stage == Stage::tls);
  CHECK(rig.elapsed == 0s);
}

TEST_CASE("smtpc: a silent port that answers a TLS hello is diagnosed within 15 s") {
  ClientRig rig;
  use_good_certificate(rig, TlsMode::starttls);
  rig.connector.tls = rig.server_tls;
  rig.connector.scripts = {"TLS"};
  mail::Failure failure = failure_of(rig.open("SLEEP 1000"));
  CHECK(rig.elapsed == kSilenceBeforeProbe);
  CHECK(failure.kind == FailureKind::tls_from_first_byte);
  CHECK(failure.stage == Stage::greeting);
}

TEST_CASE("smtpc: a side probe that finds no TLS leaves the wait for the greeting as it was") {
  for (const char* side : {"", "S: 220 plain\n", "CLOSE", "SLEEP 900"}) {
    INFO(std::string(side));
    ClientRig rig;
    use_good_certificate(rig, TlsMode::none);
    if (side[0] != '\0') rig.connector.scripts = {side};
    CHECK(rig.open("SLEEP 200\n" + hello({})));
    CHECK(rig.connector.dials == 1);
    CHECK(failure_of(rig.open("SLEEP 1000")).kind == FailureKind::greeting_timed_out);
  }
}

TEST_CASE("smtpc: a greeting that comes during the probe wins") {
  ClientRig rig;
  rig.connector.scripts = {"SLEEP 100"};
  CHECK(rig.open("SLEEP 12\n" + hello({})));
  CHECK(rig.problem == "");
}

TEST_CASE("smtpc: no side probe where it could tell nothing") {
  ClientRig rig;
  rig.smarthost.port = 25;
  CHECK(failure_of(rig.open("SLEEP 1000")).kind == FailureKind::greeting_timed_out);
  rig.smarthost.port = 587;
  CHECK(rig.open("SLEEP 9\n" + hello({})));
  CHECK(failure_of(rig.open("R: 220-\nSLEEP 1000")).kind == FailureKind::greeting_timed_out);
  CHECK(rig.connector.dials == 0);
}

TEST_CASE("smtpc: a cancellation ends the wait for the greeting, also while the probe is under way") {
  for (int seconds : {5, 12}) {
    ClientRig rig;
    io::Cancel cancel;
    rig.cancel = &cancel;
    rig.connector.scripts = {"SLEEP 100"};
    rig.run("SLEEP 1000", [&](Client& client) -> Task<void> {
      io::Nursery nursery(rig.loop);
      auto later = [](io::Loop& loop, io::Cancel& what, int when) -> Task<void> {
        [[maybe_unused]] auto slept = co_await sleep_until(loop, loop.within(std::chrono::seconds(when)));
        what.request();
      };
      nursery.spawn(later(rig.loop, cancel, seconds));
      Instant begin = rig.clock.now();
      auto opened = co_await client.open();
      REQUIRE_FALSE(opened);
      CHECK(opened.error().failure.io == IoErrorKind::cancelled);
      CHECK(rig.clock.now() - begin == std::chrono::seconds(seconds));
      [[maybe_unused]] auto drained = co_await nursery.drained({});
    });
  }
}
