// SPDX-License-Identifier: MIT
// The table of recommendations: what was found, and what is made of it.
#include "daemon/checkup/probe_choice.h"

#include <doctest/doctest.h>

#include "daemon/config/load.h"

using namespace hikyaku;
using namespace hikyaku::checkup;
using mail::FailureKind;
using mail::Stage;
using mail::TlsMode;

namespace {

using Mechanisms = std::vector<std::string>;
const std::set<std::string> kInstalled{"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"};

PortFinding encrypted(std::uint16_t port, Opening opening, Mechanisms mechanisms) {
  PortFinding finding{.port = port, .opening = opening};
  CertificateFacts facts;
  facts.names = {"smtp.example.com"};
  finding.tls = io::TlsInfo{};
  finding.tls->verified = true;
  finding.tls->certificate = std::make_shared<const CertificateFacts>(facts);
  finding.in_clear.starttls = opening == Opening::starttls;
  finding.in_tls.mechanisms = std::move(mechanisms);
  finding.in_tls.size = true;
  finding.in_tls.max_size = 1000;
  return finding;
}
PortFinding implicit(std::uint16_t port = 465, Mechanisms mechanisms = {"PLAIN", "LOGIN"}) {
  return encrypted(port, Opening::implicit, std::move(mechanisms));
}
PortFinding starttls(std::uint16_t port = 587, Mechanisms mechanisms = {"PLAIN", "LOGIN"}) {
  return encrypted(port, Opening::starttls, std::move(mechanisms));
}
PortFinding clear(std::uint16_t port, Mechanisms mechanisms = {}) {
  PortFinding finding{.port = port, .opening = Opening::clear};
  finding.in_clear.mechanisms = std::move(mechanisms);
  return finding;
}
PortFinding troubled(PortFinding finding, FailureKind kind) {
  finding.trouble = mail::Failure{};
  finding.trouble->kind = kind;
  return finding;
}
PortFinding silent(std::uint16_t port) { return troubled({.port = port}, FailureKind::connect_timed_out); }

HostFinding at(const char* host, std::vector<PortFinding> ports, Origin origin = Origin::given) {
  return {.place = {.host = host, .ports = {}, .origin = origin}, .ports = std::move(ports)};
}

const ProbeTarget kOfDomain{.host = {}, .domain = "example.com", .user = "me@example.com", .port = {}};

Choice choose_of(const std::vector<HostFinding>& found) { return choose(kOfDomain, found, kInstalled); }

// "smtp.example.com 465 smtps://…", or "nothing".
std::string yaml_of(std::vector<PortFinding> ports) {
  auto choice = choose_of({at("smtp.example.com", std::move(ports))});
  return choice.recommended ? smarthost_yaml(*choice.recommended) : "nothing";
}

}  // namespace

TEST_CASE("probe: the best port is recommended, with as little configuration as the defaults leave") {
  const struct {
    const char* what;
    std::vector<PortFinding> ports;
    const char* yaml;
  } kCases[] = {
      {"everything", {implicit(), starttls(), starttls(25)}, "smarthost: smtps://smtp.example.com\n"},
      {"in whatever order", {starttls(25), starttls(), implicit()}, "smarthost: smtps://smtp.example.com\n"},
      {"no 465", {silent(465), starttls(), starttls(25)}, "smarthost: submission://smtp.example.com\n"},
      {"465 and 587 the other way round",
       {starttls(465), implicit(587)},
       "smarthost: smtps://smtp.example.com:587\n"},
      {"unusual ports", {starttls(45587)}, "smarthost: submission://smtp.example.com:45587\n"},
      {"a log-in on 25 alone",
       {silent(465), silent(587), starttls(25)},
       "smarthost: submission://smtp.example.com:25\n"},
      {"a log-in by STARTTLS before none by TLS",
       {implicit(465, {}), starttls()},
       "smarthost: submission://smtp.example.com\n"},
      {"no log-in anywhere", {implicit(465, {}), starttls(587, {})}, "smarthost: smtps://smtp.example.com\n"},
      {"587 before 25", {starttls(25, {}), starttls(587, {})}, "smarthost: submission://smtp.example.com\n"},
      {"clear text without a log-in", {silent(465), clear(25)}, "smarthost: smtp://smtp.example.com\n"},
      {"clear text on another port", {clear(2525)}, "smarthost: smtp://smtp.example.com:2525\n"},
      {"TLS before clear text", {clear(25), starttls(587, {})}, "smarthost: submission://smtp.example.com\n"},
      {"a password in clear text", {clear(587, {"PLAIN"})}, "nothing"},
      {"nor one that is hashed", {clear(587, {"CRAM-MD5"})}, "nothing"},
      {"mechanisms that nobody here knows", {implicit(465, {"XOAUTH2", "XYMCOOKIE"})}, "nothing"},
      {"a plug-in that is not installed", {implicit(465, {"DIGEST-MD5"})}, "nothing"},
      {"an expired certificate", {troubled(implicit(), FailureKind::tls_expired)}, "nothing"},
      {"the other port's certificate holds",
       {troubled(implicit(), FailureKind::tls_expired), starttls()},
       "smarthost: submission://smtp.example.com\n"},
      {"STARTTLS that failed", {{.port = 587, .opening = Opening::starttls}}, "nothing"},
      {"nothing at all", {silent(465), silent(587), silent(25)}, "nothing"},
      {"no port", {}, "nothing"},
  };
  for (const auto& row : kCases) {
    INFO(std::string(row.what));
    CHECK(yaml_of(row.ports) == row.yaml);
  }
}

TEST_CASE("probe: what is recommended says why, and with which mechanisms, the best first") {
  auto choice =
      choose_of({at("smtp.example.com", {implicit(465, {"LOGIN", "XYMCOOKIE", "PLAIN", "SCRAM-SHA-256"})})});
  REQUIRE(choice.recommended);
  CHECK(choice.recommended->mechanisms == Mechanisms{"SCRAM-SHA-256", "PLAIN", "LOGIN"});
  CHECK(choice.recommended->tls == TlsMode::implicit);
  CHECK(choice.recommended->port == 465);
  CHECK(choice.recommended->max_size == 1000);
  CHECK(choice.recommended->why ==
        "it speaks TLS from the first byte, its certificate holds, and it offers to log in");
  auto open = choose_of({at("smtp.example.com", {clear(25)})});
  REQUIRE(open.recommended);
  CHECK(open.recommended->why.find("everybody on the way can read the mail") != std::string::npos);
  CHECK(open.recommended->tls == TlsMode::opportunistic);
}

TEST_CASE("probe: among hosts that are equally good the first is recommended, and a better one before all") {
  auto hosts = std::vector{at("a.example.com", {starttls()}), at("b.example.com", {starttls()})};
  CHECK(choose_of(hosts).recommended->host == "a.example.com");
  hosts.push_back(at("c.example.com", {implicit()}));
  CHECK(choose_of(hosts).recommended->host == "c.example.com");
}

TEST_CASE("probe: a host that only a SRV record names is recommended where something better vouches for it") {
  auto choice_of = [](HostFinding host) { return choose_of({std::move(host)}); };
  auto stranger = choice_of(at("smtp.evil.example", {implicit()}, Origin::srv));
  CHECK_FALSE(stranger.recommended);
  REQUIRE(stranger.unconfirmed);
  CHECK(stranger.unconfirmed->host == "smtp.evil.example");

  CHECK(choice_of(at("smtp.example.com", {implicit()}, Origin::srv)).recommended);
  CHECK_FALSE(choice_of(at("smtpexample.com", {implicit()}, Origin::srv)).recommended);
  CHECK(choice_of(at("smtp.hoster.example", {implicit()}, Origin::given)).recommended);
  CHECK(choice_of(at("smtp.hoster.example", {implicit()}, Origin::provider_by_mx)).recommended);

  auto known = at("smtp.fastmail.com", {implicit()}, Origin::srv);
  known.place.preset = "fastmail";
  CHECK(choice_of(known).recommended);
}

TEST_CASE("probe: a certificate that names the mail domain too vouches for the host, if it holds") {
  auto port = implicit();
  CertificateFacts facts;
  facts.names = {"smtp.hoster.example", "Example.com"};
  port.tls->certificate = std::make_shared<const CertificateFacts>(facts);
  CHECK(choose_of({at("smtp.hoster.example", {port}, Origin::srv)}).recommended);
  port.tls->fault = IoErrorKind::tls_self_signed;
  auto choice = choose_of({at("smtp.hoster.example", {port}, Origin::srv)});
  CHECK_FALSE(choice.recommended);
  facts.names = {"smtp.hoster.example", "*.example.com"};
  port.tls->fault.reset();
  port.tls->certificate = std::make_shared<const CertificateFacts>(facts);
  CHECK_FALSE(choose_of({at("smtp.hoster.example", {port}, Origin::srv)}).recommended);
}

TEST_CASE("probe: an unconfirmed host does not hide one that is") {
  auto choice = choose_of({at("smtp.hoster.example", {implicit()}, Origin::srv),
                           at("smtp.example.com", {starttls()}, Origin::guess)});
  CHECK(choice.recommended->host == "smtp.example.com");
  CHECK(choice.unconfirmed->host == "smtp.hoster.example");
}

TEST_CASE("probe: with a provider that is known, its preset is configured, and what it does not say") {
  auto of_preset = [](const char* preset, const char* host, std::uint16_t port, TlsMode tls) {
    return Recommendation{.host = host, .port = port, .tls = tls, .preset = preset};
  };
  const struct {
    Recommendation choice;
    const char* yaml;
  } kCases[] = {
      {of_preset("fastmail", "smtp.fastmail.com", 465, TlsMode::implicit), "smarthost: fastmail\n"},
      {of_preset("fastmail", "smtp.fastmail.com", 587, TlsMode::starttls),
       "smarthosts:\n  - preset: fastmail\n    port: 587\n"},
      {of_preset("fastmail", "smtp.fastmail.com", 2525, TlsMode::starttls),
       "smarthosts:\n  - preset: fastmail\n    port: 2525\n    tls: starttls\n"},
      {of_preset("gmail", "smtp.gmail.com", 465, TlsMode::implicit),
       "smarthosts:\n  - preset: gmail\n    user: 'o''neil@gmail.com'\n"},
      {of_preset("zoho", "smtppro.zoho.com", 465, TlsMode::implicit),
       "smarthosts:\n  - preset: zoho\n    host: smtppro.zoho.com\n"},
  };
  for (const auto& row : kCases) {
    const std::string yaml = smarthost_yaml(row.choice, "o'neil@gmail.com");
    CHECK(yaml == row.yaml);
    auto settings = config::load_text(yaml, "hikyaku.yaml", {.hostname = "app.example.com"});
    REQUIRE(settings);
    const mail::Smarthost& smarthost = settings->smarthosts.front();
    CHECK(smarthost.host == row.choice.host);
    CHECK(smarthost.port == row.choice.port);
    CHECK(smarthost.tls.mode == row.choice.tls);
  }
  CHECK(smarthost_yaml(kCases[3].choice) == "smarthosts:\n  - preset: gmail\n    user: USER\n");
}

TEST_CASE("probe: every line that is recommended for a host of one's own is a configuration") {
  for (TlsMode tls : {TlsMode::implicit, TlsMode::starttls, TlsMode::opportunistic})
    for (std::uint16_t port :
         {std::uint16_t{25}, std::uint16_t{465}, std::uint16_t{587}, std::uint16_t{2525}})
      for (const char* host : {"smtp.example.com", "192.0.2.1", "2001:db8::1"}) {
        const Recommendation choice{.host = host, .port = port, .tls = tls};
        auto settings =
            config::load_text(smarthost_yaml(choice), "hikyaku.yaml", {.hostname = "app.example.com"});
        REQUIRE(settings);
        CHECK(settings->smarthosts.front().host == host);
        CHECK(settings->smarthosts.front().port == port);
        CHECK(settings->smarthosts.front().tls.mode == tls);
      }
}

TEST_CASE("probe: the command for looking independently verifies as we do") {
  Recommendation choice{.host = "smtp.example.com", .port = 465, .tls = TlsMode::implicit};
  CHECK(openssl_command(choice) ==
        "openssl s_client -connect smtp.example.com:465 -servername smtp.example.com -verify_hostname "
        "smtp.example.com -verify_return_error -crlf -brief");
  choice.port = 587;
  choice.tls = TlsMode::starttls;
  CHECK(openssl_command(choice).starts_with(
      "openssl s_client -connect smtp.example.com:587 -starttls smtp -servername smtp.example.com "));
  choice.host = "2001:db8::1";
  CHECK(openssl_command(choice) ==
        "openssl s_client -connect [2001:db8::1]:587 -starttls smtp -noservername -verify_ip 2001:db8::1 "
        "-verify_return_error -crlf -brief");
  CHECK(smarthost_yaml(choice) == "smarthost: \"submission://[2001:db8::1]\"\n");
}

TEST_CASE("probe: why nobody could log in, though a log-in is offered") {
  auto kind_of = [](const PortFinding& finding) {
    auto trouble = trouble_with_login("smtp.example.com", finding, kInstalled);
    return trouble ? std::string(mail::to_text(trouble->kind)) : "";
  };
  CHECK(kind_of(implicit()) == "");
  CHECK(kind_of(implicit(465, {})) == "");
  CHECK(kind_of(clear(25)) == "");
  CHECK(kind_of(silent(25)) == "");
  CHECK(kind_of(clear(587, {"PLAIN"})) == "plaintext_auth_not_allowed");
  CHECK(kind_of(clear(587, {"CRAM-MD5"})) == "plaintext_auth_not_allowed");
  CHECK(kind_of(implicit(465, {"XOAUTH2", "XYMCOOKIE"})) == "no_usable_mechanism");
  CHECK(kind_of(implicit(465, {"DIGEST-MD5"})) == "missing_plugin");
  CHECK(trouble_with_login("h", implicit(465, {"DIGEST-MD5"}), kInstalled)->mechanism == "DIGEST-MD5");
}

TEST_CASE("probe: mechanisms that hikyaku can use are known by name") {
  for (const char* name :
       {"PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "EXTERNAL"})
    CHECK(is_known_mechanism(name));
  for (const char* name : {"XYMCOOKIE", "NTLM", "XOAUTH2", "GSSAPI", ""})
    CHECK_FALSE(is_known_mechanism(name));
}
