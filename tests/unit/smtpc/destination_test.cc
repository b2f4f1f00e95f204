// SPDX-License-Identifier: MIT
// A client with one of the servers of a recipient's domain: another server after a refusal, TLS under the
// server's own name, clear text where TLS is known to fail.
#include "doctest/doctest.h"
#include "smtpc/opening.h"
#include "tests/support/peers/test_certificates.h"
#include "tests/unit/smtpc/client_rig.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;
using namespace hikyaku::test;
using mail::FailureKind;
using mail::Stage;
using mail::TlsMode;

namespace {

struct DestinationRig : ClientRig {
  DestinationRig() {
    smarthost.name = "direct";
    smarthost.host = "shop.example";
    smarthost.port = 25;
    smarthost.direct = true;
    smarthost.auth = false;
    pair.second_name = "smtp.example";
  }
  void use_tls(const CertificateFiles& files, bool verify = false) {
    set_tls(TlsMode::opportunistic, files.cert, files.key);
    smarthost.tls.verify = verify;
    io::TlsClientOptions options;
    options.name = smarthost.host;
    options.verify = verify;
    options.ca_file = test_certificates().ca_file;
    auto client = io::TlsClient::create(options);
    REQUIRE(client);
    tls = *client;
  }
  // The TLS of a session that opens; null: clear text.
  std::optional<io::TlsInfo> tls_of(const std::string& script) {
    std::optional<io::TlsInfo> info;
    run(script, [&](Client& client) -> Task<void> {
      auto opened = co_await client.open();
      CHECK(opened);
      if (client.tls() != nullptr) info = *client.tls();
    });
    CHECK(problem == "");
    return info;
  }
};

const std::string kTlsOffered =
    "S: 220 hi\nC: EHLO client.example\nS: 250-hi\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nTLS\n"
    "C: EHLO client.example\nS: 250 hi";

bool wants_redial(DestinationRig& rig, const std::string& script) {
  bool wants = false;
  rig.run(script, [&](Client& client) -> Task<void> {
    auto opened = co_await client.open();
    CHECK_FALSE(opened);
    wants = client.wants_new_connection();
  });
  return wants;
}

}  // namespace

TEST_CASE("smtpc: after a refused greeting the connector is asked for another server") {
  DestinationRig rig;
  rig.connector.has_another = true;
  CHECK(wants_redial(rig, "S: 554 5.7.1 go away"));
  REQUIRE(rig.connector.refusals.size() == 1);
  CHECK(rig.connector.refusals[0].stage == Stage::greeting);
  CHECK(rig.connector.refusals[0].address == "192.0.2.1:587");
  CHECK(rig.connector.refusals[0].host == "smtp.example");
  CHECK(rig.knowledge.redials == 1);
  rig.connector.has_another = false;
  CHECK_FALSE(wants_redial(rig, "S: 554 5.7.1 go away"));
  CHECK(rig.knowledge.redials == 0);
}

TEST_CASE("smtpc: a domain whose servers never end is given up") {
  DestinationRig rig;
  rig.connector.has_another = true;
  rig.knowledge.redials = 80;
  CHECK_FALSE(wants_redial(rig, "S: 554 5.7.1 go away"));
}

TEST_CASE("smtpc: a session that opens begins the count of servers anew") {
  DestinationRig rig;
  rig.knowledge.redials = 7;
  CHECK(rig.open("S: 220 hi\nC: EHLO client.example\nS: 250 hi"));
  CHECK(rig.knowledge.redials == 0);
}

TEST_CASE("smtpc: a destination's certificate is judged by the server's own name, and by that only told") {
  DestinationRig rig;
  rig.use_tls(test_certificates().good);
  auto good = rig.tls_of(kTlsOffered);
  REQUIRE(good);
  CHECK(good->verified);
  CHECK(good->verdict == "verified");
  rig.pair.second_name = "other.example";
  auto other = rig.tls_of(kTlsOffered);
  REQUIRE(other);
  CHECK_FALSE(other->verified);
  CHECK(other->verdict.starts_with("unverified"));
}

TEST_CASE("smtpc: a destination whose certificate must be verified is refused for a wrong one") {
  DestinationRig rig;
  rig.use_tls(test_certificates().good, true);
  CHECK(rig.tls_of(kTlsOffered));
  rig.pair.second_name = "other.example";
  auto refused = rig.open(kTlsOffered);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().failure.kind == FailureKind::tls_wrong_name);
  CHECK(rig.connector.refusals.size() == 1);
}

TEST_CASE("smtpc: where TLS with a destination is known to fail, mail goes in clear text") {
  DestinationRig rig;
  rig.use_tls(test_certificates().good);
  rig.connector.is_tls_broken = true;
  CHECK_FALSE(rig.tls_of("S: 220 hi\nC: EHLO client.example\nS: 250-hi\nS: 250 STARTTLS"));
}

TEST_CASE("smtpc: a smarthost never gets clear text because TLS fails") {
  DestinationRig rig;
  rig.use_tls(test_certificates().good);
  rig.smarthost.direct = false;
  rig.smarthost.host = "smtp.example";
  rig.connector.is_tls_broken = true;
  auto info = rig.tls_of(kTlsOffered);
  CHECK(info);
}

TEST_CASE("smtpc: a silent destination is not probed for TLS") {
  DestinationRig rig;
  rig.smarthost.port = 2525;
  CHECK_FALSE(may_probe(rig.smarthost));
}

TEST_CASE("smtpc: a refusal of a destination's recipient is that recipient's, without a proof of any mail") {
  DestinationRig rig;
  rig.proven = false;
  auto result = rig.send(hello({}) +
                             "C: MAIL FROM:<a@client.example>\nS: 250 ok\n"
                             "C: RCPT TO:<x@shop.example>\nS: 554 5.7.1 Relay access denied\n"
                             "C: QUIT\nS: 221 bye\nCLOSE",
                         mail_to({"x@shop.example"}));
  CHECK(rig.problem == "");
  REQUIRE(result.recipients.size() == 1);
  REQUIRE(result.recipients[0].refusal);
  CHECK(result.recipients[0].refusal->verdict.action == Action::fail_recipient);
  CHECK(result.recipients[0].refusal->failure.is_direct);
  CHECK_FALSE(result.recipients[0].refusal->failure.unproven);
}
