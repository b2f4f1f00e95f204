// SPDX-License-Identifier: MIT
#include "daemon/checkup/probe_port.h"

#include <doctest/doctest.h>

#include "tests/unit/checkup/probe_rig.h"

using namespace hikyaku;
using namespace hikyaku::checkup;
using namespace hikyaku::test;
using mail::FailureKind;
using mail::Stage;

namespace {

using Offer = std::vector<std::string>;
const std::string kGreeting = "220 smtp.example ESMTP ready";
const Offer kInTls{"smtp.example", "AUTH PLAIN LOGIN XYMCOOKIE", "PIPELINING", "SIZE 1000"};
const Offer kInClear{"smtp.example", "STARTTLS", "AUTH=LOGIN", "SIZE 7"};

const std::string kImplicit = implicit_script(kGreeting, kInTls);
const std::string kStarttls = starttls_script(kGreeting, kInClear, kInTls);
// A server that expects TLS waits for a hello; one that hears none goes.
const std::string kWaits = "SLEEP 3600\n";

std::string kind_of(const PortFinding& finding) {
  return finding.trouble ? std::string(mail::to_text(finding.trouble->kind)) : "";
}

}  // namespace

TEST_CASE("probe: TLS from the first byte, with what is offered in it and the certificate") {
  ProbeRig rig;
  rig.ports.play("smtp.example:465", {kImplicit});
  auto finding = rig.probe_port(465);
  CHECK(finding.opening == Opening::implicit);
  CHECK(kind_of(finding) == "");
  CHECK(finding.address == "192.0.2.1:465");
  CHECK(finding.greeting == "smtp.example ESMTP ready");
  CHECK(finding.in_tls.mechanisms == Offer{"PLAIN", "LOGIN", "XYMCOOKIE"});
  CHECK(finding.in_tls.max_size == 1000);
  CHECK(finding.in_clear == mail::Capabilities{});
  REQUIRE(finding.tls);
  REQUIRE(finding.tls->certificate);
  CHECK(finding.tls->certificate->names.front() == "smtp.example");
  CHECK(finding.tls->verified);
  CHECK(rig.ports.peers[0]->problem() == "");
}

TEST_CASE("probe: STARTTLS, with what is offered before it and after it") {
  ProbeRig rig;
  rig.ports.play("smtp.example:587", {kStarttls});
  auto finding = rig.probe_port(587);
  CHECK(finding.opening == Opening::starttls);
  CHECK(kind_of(finding) == "");
  CHECK(finding.in_clear.mechanisms == Offer{"LOGIN"});
  CHECK(finding.in_clear.max_size == 7);
  CHECK(finding.in_tls.mechanisms == Offer{"PLAIN", "LOGIN", "XYMCOOKIE"});
  CHECK(finding.offer().max_size == 1000);
  CHECK(finding.is_encrypted());
  CHECK(rig.ports.peers[0]->problem() == "");
}

TEST_CASE("probe: SMTP in clear alone is told as such, and greets no TLS") {
  ProbeRig rig;
  rig.ports.play("smtp.example:25", {clear_script(kGreeting, {"smtp.example", "AUTH PLAIN"})});
  auto finding = rig.probe_port(25);
  CHECK(finding.opening == Opening::clear);
  CHECK(kind_of(finding) == "");
  CHECK_FALSE(finding.is_encrypted());
  CHECK(finding.offer().mechanisms == Offer{"PLAIN"});
}

TEST_CASE(
    "probe: the port's number decides nothing: 465 may speak STARTTLS, and 587 TLS from the first byte") {
  ProbeRig rig;
  rig.ports.play("smtp.example:465", {"S: " + kGreeting + "\n", kStarttls});
  auto starttls = rig.probe_port(465);
  CHECK(starttls.opening == Opening::starttls);
  CHECK(starttls.in_tls.mechanisms.size() == 3);
  rig.ports.play("smtp.example:587", {kWaits, "R: \x16\x03\x03\\0\x7a\n", kImplicit});
  auto implicit = rig.probe_port(587);
  CHECK(implicit.opening == Opening::implicit);
  CHECK(rig.elapsed == rig.times.silence);
}

TEST_CASE("probe: a port that says nothing costs as long as the first byte may take") {
  ProbeRig rig;
  for (std::uint16_t port : {std::uint16_t{25}, std::uint16_t{465}, std::uint16_t{587}}) {
    rig.ports.play("smtp.example:" + std::to_string(port), {kWaits});
    auto finding = rig.probe_port(port);
    CHECK(finding.opening == Opening::none);
    CHECK(kind_of(finding) == (port == 465 ? "timed_out" : "greeting_timed_out"));
    CHECK(rig.elapsed == (port == 465 ? rig.times.reply : rig.times.first_byte));
  }
}

TEST_CASE("probe: why there is no SMTP") {
  struct {
    const char* script;
    FailureKind kind;
    Stage stage;
  } const kCases[] = {
      {"CLOSE", FailureKind::closed_early, Stage::greeting},
      {"R: HTTP/1.1 400 Bad Request\\r\\n", FailureKind::protocol_error, Stage::greeting},
      {"S: 554 5.7.1 no service for you\nCLOSE", FailureKind::smarthost_refuses, Stage::greeting},
      {"S: 220 x\nC: EHLO me.example\nS: 550 go away\nCLOSE", FailureKind::smarthost_refuses, Stage::ehlo},
      {"S: 220 x\nC: EHLO me.example\nS: 250-x\nS: 250 STARTTLS\nC: STARTTLS\nS: 454 not now\nC: QUIT\nCLOSE",
       FailureKind::starttls_not_offered, Stage::tls},
  };
  for (const auto& row : kCases) {
    INFO(std::string(row.script));
    ProbeRig rig;
    rig.ports.play("smtp.example:587", {row.script});
    auto finding = rig.probe_port(587);
    REQUIRE(finding.trouble);
    CHECK(mail::to_text(finding.trouble->kind) == mail::to_text(row.kind));
    CHECK(mail::to_text(finding.trouble->stage) == mail::to_text(row.stage));
    CHECK_FALSE(finding.is_encrypted());
    CHECK(rig.ports.peers[0]->problem() == "");
  }
}

TEST_CASE("probe: a port that cannot be reached") {
  ProbeRig rig;
  rig.ports.fail("smtp.example:25", IoErrorKind::timeout);
  CHECK(kind_of(rig.probe_port(25)) == "connect_timed_out");
  CHECK(kind_of(rig.probe_port(587)) == "refused");
  rig.ports.fail("smtp.example:465", IoErrorKind::no_such_name);
  auto unknown = rig.probe_port(465);
  CHECK(kind_of(unknown) == "no_such_name");
  CHECK(unknown.port == 465);
}

TEST_CASE(
    "probe: a certificate that does not hold is the trouble, and what is offered is known all the same") {
  const auto& made = test_certificates();
  const std::pair<CertificateFiles, FailureKind> kFaults[] = {
      {made.expired, FailureKind::tls_expired},
      {made.self_signed, FailureKind::tls_self_signed},
      {made.unknown_issuer, FailureKind::tls_unknown_issuer},
      {made.wrong_name, FailureKind::tls_wrong_name}};
  for (const auto& [files, kind] : kFaults) {
    ProbeRig rig;
    rig.ports.use(files);
    rig.ports.play("smtp.example:465", {kImplicit});
    rig.ports.play("smtp.example:587", {kStarttls});
    for (std::uint16_t port : {std::uint16_t{465}, std::uint16_t{587}}) {
      auto finding = rig.probe_port(port);
      CHECK(kind_of(finding) == mail::to_text(kind));
      REQUIRE(finding.trouble);
      CHECK(finding.trouble->stage == Stage::tls);
      CHECK(finding.trouble->tls == (port == 465 ? mail::TlsMode::implicit : mail::TlsMode::starttls));
      REQUIRE(finding.trouble->certificate);
      CHECK(finding.trouble->certificate->fingerprint == files.fingerprint);
      CHECK(finding.in_tls.mechanisms.size() == 3);
    }
  }
}

TEST_CASE("probe: bytes that somebody has slipped in behind STARTTLS are told, and end it") {
  ProbeRig rig;
  rig.ports.play("smtp.example:587", {"S: 220 x\nC: EHLO me.example\nS: 250-x\nS: 250 STARTTLS\nC: "
                                      "STARTTLS\nR: 220 go\\r\\n250 evil\\r\\n"});
  CHECK(kind_of(rig.probe_port(587)) == "injected_after_starttls");
}

TEST_CASE("probe: a cancelled one ends at once") {
  ProbeRig rig;
  rig.ports.play("smtp.example:587", {kWaits});
  io::Cancel cancel;
  cancel.request();
  auto with = rig.context().dialling;
  with.cancel = &cancel;
  const Instant begin = rig.clock.now();
  auto finding = rig.loop.run(checkup::probe_port(with, "smtp.example", 587));
  CHECK(finding.opening == Opening::none);
  CHECK(rig.clock.now() == begin);
  [[maybe_unused]] auto drained = rig.loop.run(rig.ports.nursery.drained({}));
}
