// SPDX-License-Identifier: MIT
#include "doctest/doctest.h"
#include "tests/unit/config/loading.h"

namespace hikyaku::config {
namespace {

using mail::Smarthost;
using mail::TlsMode;

Smarthost smarthost_of(std::string_view keys) {
  return settings_of(cat("smarthosts:\n  - {", keys, "}\n")).smarthosts.at(0);
}

std::string smarthost_complaints(std::string_view keys) {
  return complaints(cat("smarthosts:\n  - {", keys, "}\n"));
}

struct DefaultCase {
  const char* keys;
  std::uint16_t port;
  TlsMode mode;
};

TEST_CASE("config: port and TLS mode are each the other's default") {
  for (const DefaultCase& c : std::initializer_list<DefaultCase>{
           {"host: a.example", 25, TlsMode::opportunistic},
           {"host: a.example, port: 465", 465, TlsMode::implicit},
           {"host: a.example, port: 587", 587, TlsMode::starttls},
           {"host: a.example, port: submissions", 465, TlsMode::implicit},
           {"host: a.example, tls: implicit", 465, TlsMode::implicit},
           {"host: a.example, tls: starttls", 587, TlsMode::starttls},
           {"host: a.example, tls: none", 25, TlsMode::none},
           {"host: a.example, port: 45587, tls: starttls", 45587, TlsMode::starttls},
           {"host: a.example, port: 25, tls: implicit", 25, TlsMode::implicit},
           {"url: 'smtp://a.example'", 25, TlsMode::opportunistic},
           {"url: 'submission://a.example'", 587, TlsMode::starttls},
           {"url: 'smtps://a.example', port: 45465", 45465, TlsMode::implicit},
           {"url: 'submission://a.example:2587', tls: starttls", 2587, TlsMode::starttls}}) {
    CAPTURE(c.keys);
    Smarthost smarthost = smarthost_of(c.keys);
    CHECK(smarthost.port == c.port);
    CHECK(smarthost.tls.mode == c.mode);
    CHECK(smarthost.host == "a.example");
  }
}

TEST_CASE("config: each key of a smarthost reaches its setting") {
  Smarthost s = smarthost_of(
      "name: main, host: '[A.example]', port: 587, tls_verify: no, tls_hostname: B.example, tls_ca_file: "
      "/ca, "
      "tls_fingerprint: 'SHA256:AB:" +
      std::string(62, 'c') +
      "', tls_min_version: 1.3, "
      "tls_client_cert: {cert: /c, key: /k}, auth: [plain, Scram-Sha-256], user: me, allow_plaintext_auth: "
      "true, "
      "connections: 2, messages_per_connection: 5, rate: [14/s, 10000/day], "
      "timeout: {connect: 1s, greeting: 2s, command: 3s, data: 4s}");
  CHECK(s.name == "main");
  CHECK(s.host == "a.example");
  CHECK(!s.tls.verify);
  CHECK(s.tls.hostname == "b.example");
  CHECK(s.tls.ca_file == "/ca");
  CHECK(s.tls.fingerprint == "sha256:ab" + std::string(62, 'c'));
  CHECK(s.tls.min_version == TlsVersion::tls1_3);
  CHECK(s.tls.client_cert == "/c");
  CHECK(s.tls.client_key == "/k");
  CHECK(s.auth);
  CHECK(s.mechanisms == std::vector<std::string>{"PLAIN", "SCRAM-SHA-256"});
  CHECK(s.user == "me");
  CHECK(s.allow_plaintext_auth);
  CHECK(s.connections == 2);
  CHECK(s.messages_per_connection == 5);
  CHECK(s.rates == std::vector<mail::Rate>{{14, mail::RateUnit::second}, {10000, mail::RateUnit::day}});
  CHECK(s.timeout == mail::SmtpTimeouts{1s, 2s, 3s, 4s});
}

TEST_CASE("config: with `lookup: mx` certificates are not verified unless that is asked for") {
  Smarthost by_host = smarthost_of("host: a.example, lookup: host");
  CHECK_FALSE(by_host.lookup_mx);
  CHECK(by_host.tls.verify);
  Smarthost by_mx = smarthost_of("host: a.example, lookup: mx");
  CHECK(by_mx.lookup_mx);
  CHECK_FALSE(by_mx.tls.verify);
  CHECK(by_mx.port == 25);
  CHECK(smarthost_of("url: 'submission://a.example', lookup: mx, tls_verify: true").tls.verify);
}

TEST_CASE("config: `mx:` is delivery to the recipients' own servers, in clear text where they have no TLS") {
  for (const Smarthost& s :
       {settings_of("smarthost: 'mx:'\n").smarthosts.at(0), smarthost_of("url: 'mx:'")}) {
    CHECK(s.direct);
    CHECK(s.name == "direct");
    CHECK(s.host == "");
    CHECK(s.port == 25);
    CHECK(s.tls.mode == TlsMode::opportunistic);
    CHECK_FALSE(s.tls.verify);
    CHECK_FALSE(s.auth);
    CHECK_FALSE(s.lookup_mx);
  }
  Smarthost other = smarthost_of(
      "name: out, url: 'mx:', port: 2525, tls: starttls, tls_verify: true, lookup: mx, auth: none");
  CHECK(other.name == "out");
  CHECK(other.port == 2525);
  CHECK(other.tls.mode == TlsMode::starttls);
  CHECK(other.tls.verify);
}

TEST_CASE("config: auth is auto, none or mechanisms") {
  CHECK(smarthost_of("host: a.example, auth: auto").mechanisms.empty());
  CHECK(smarthost_of("host: a.example, auth: auto").auth);
  CHECK(!smarthost_of("host: a.example, auth: none").auth);
  CHECK(smarthost_of("host: a.example, auth: login").mechanisms == std::vector<std::string>{"LOGIN"});
}

TEST_CASE("config: a rate is one or several, and there is none by default") {
  CHECK(smarthost_of("host: a.example").rates.empty());
  CHECK(smarthost_of("host: a.example, rate: 60/min").rates ==
        std::vector<mail::Rate>{{60, mail::RateUnit::minute}});
  CHECK(smarthost_of("host: a.example, rate: [500/h]").rates ==
        std::vector<mail::Rate>{{500, mail::RateUnit::hour}});
  CHECK(smarthost_of("host: a.example, rate: 10000 recipients/day").rates ==
        std::vector<mail::Rate>{{10000, mail::RateUnit::day, mail::RateOf::recipients}});
  CHECK(smarthost_of("host: a.example, rate: [30/day, 90 recipients/day]").rates ==
        std::vector<mail::Rate>{{30, mail::RateUnit::day},
                                {90, mail::RateUnit::day, mail::RateOf::recipients}});
}

TEST_CASE("config: a smarthost may be a URL alone, or a mapping without a list") {
  Settings s = settings_of("smarthosts:\n  - smtps://a.example\n  - {name: b, url: 'smtp://a.example'}\n");
  CHECK(s.smarthosts[0].name == "a.example");
  CHECK(s.smarthosts[1].name == "b");
  CHECK(settings_of("smarthost: {host: a.example, port: 587}\n").smarthosts[0].tls.mode == TlsMode::starttls);
}

struct EntryComplaint {
  const char* keys;
  const char* part;
};

constexpr EntryComplaint kEntryComplaints[] = {
    {"host: a.example, tls: 587",
     "tls: a port belongs in `port`; tls is one of implicit, starttls, opportunistic, none; with port 587 it "
     "is starttls"},
    {"host: a.example, tls: 465", "with port 465 it is implicit by default"},
    {"host: a.example, tls: 2525", "a port belongs in `port`"},
    {"host: a.example, tls: true", "`true` could mean implicit (465) or starttls (587)"},
    {"host: a.example, tls: false", "write none"},
    {"host: a.example, tls: startls", "did you mean starttls?"},
    {"host: a.example, tls: [starttls]", "must be one of"},
    {"host: a.example, ssl: 465", "ssl: there is no such key: write `tls: implicit` (465)"},
    {"host: a.example, smtp_tls: false", "there is no such key"},
    {"host: a.example, port: 2525", "this port says nothing about TLS: add `tls`"},
    {"host: a.example, port: 70000", "from 1 to 65535"},
    {"host: 'smtps://a.example'", "a URL belongs in `url`"},
    {"host: 'a.example:587'", "a port belongs in `port`"},
    {"port: 587", "needs `host`, `url` or `preset`"},
    {"url: 'smtps://a.example', host: a.example", "both `url` and `host`"},
    {"url: 'smtps://a.example', tls: starttls", "contradict each other"},
    {"url: 'smtps://a.example:465', port: 587", "one port in `url` and another in `port`"},
    {"url: 'smtps://me:hunter2@a.example'", "authinfo"},
    {"host: a.example, username: me, password: hunter2", "authinfo"},
    {"host: a.example, auth: hunter2", "must be auto, none, or a list"},
    {"host: a.example, auth: [PLAIN, GSSAPI]", "auth[1]: must be auto, none"},
    {"host: a.example, auth: [PLAIN, plain]", "appears twice"},
    {"host: a.example, auth: []", "names no mechanism"},
    {"host: a.example, lookup: txt", "must be one of host, mx"},
    {"host: '[a.example]', lookup: mx", "contradict each other"},
    {"host: 192.0.2.1, lookup: mx", "contradict each other"},
    {"url: 'smtp://[a.example]', lookup: mx", "contradict each other"},
    {"url: 'mx:', user: me", "never logs in"},
    {"url: 'mx:', auth: [PLAIN]", "never logs in"},
    {"url: 'mx:', allow_plaintext_auth: true", "never logs in"},
    {"url: 'mx:', lookup: host", "remove `lookup`"},
    {"url: 'mx:', tls: implicit", "no TLS from the first byte"},
    {"url: 'mx:', tls_hostname: a.example", "`mx:` means many"},
    {"url: 'mx:', host: a.example", "both `url` and `host`"},
    {"host: a.example, tls_fingerprint: abc", "sha256: and 64 hexadecimal digits"},
    {"host: a.example, tls_client_cert: {cert: /c}", "needs both `cert` and `key`"},
    {"host: a.example, tls_client_cert: /c", "must be {cert: FILE, key: FILE}"},
    {"host: a.example, tls_ca_file: ca.pem", "absolute path"},
    {"host: a.example, tls_min_version: 1.4", "1.0, 1.1, 1.2, 1.3"},
    {"host: a.example, tls_verify: maybe", "must be true or false"},
    {"host: a.example, rate: 60",
     "h.yaml:2:29: smarthosts[0].rate: must be a whole number from 1 to 1000000"},
    {"host: a.example, rate: 0/min", "from 1 to 1000000, a slash and a unit"},
    {"host: a.example, rate: 1000001/day", "from 1 to 1000000"},
    {"host: a.example, rate: 60/m", "did you mean /min?"},
    {"host: a.example, rate: 9/Hour", "did you mean /h?"},
    {"host: a.example, rate: 60/week", "a unit out of s, min, h, day, such as 60/min"},
    {"host: a.example, rate: hunter2", "such as 60/min"},
    {"host: a.example, rate: {min: 60}", "or a list such as [14/s, 10000/day]"},
    {"host: a.example, dkim: {omit: [Date, from]}",
     "smarthosts[0].dkim.omit[1]: must be signed: a signature that leaves out From counts for nobody"},
    {"host: a.example, dkim: {omit: ['a b']}",
     "smarthosts[0].dkim.omit[0]: must be the name of a header field"},
    {"host: a.example, dkim: {sign: perhaps}", "smarthosts[0].dkim.sign: must be true or false"},
    {"host: a.example, rate: [14/s, 1.5/min]", "h.yaml:2:36: smarthosts[0].rate[1]: must be"},
    {"host: a.example, rate: [14/s, 20/s]", "rate[1]: another rate has this unit"},
    {"host: a.example, rate: [5 recipients/h, 6 recipients/h]", "rate[1]: another rate has this unit"},
    {"host: a.example, rate: 5 recipient/h", "such as 60/min (messages) or 10000 recipients/day"},
    {"host: a.example, rate: []", "names no rate; to send without a limit, remove the key"},
    {"host: a.example, rate:", "such as 60/min"},
    {"host: a.example, name: 'a b'", "a name of letters"},
    {"host: a.example, timeout: {conect: 1s}",
     "smarthosts[0].timeout.conect: unknown key; did you mean `connect`?"},
    {"host: a.example, timeout: {connect: 0s}", "from 100ms"},
};

TEST_CASE("config: whatever is wrong with a smarthost is refused and explained, without secrets") {
  for (const EntryComplaint& c : kEntryComplaints) {
    CAPTURE(c.keys);
    std::string lines = smarthost_complaints(c.keys);
    CAPTURE(lines);
    CHECK(contains(lines, c.part));
    CHECK(!contains(lines, "hunter2"));
  }
}

TEST_CASE("config: a URL that holds a password is refused without showing it") {
  std::string lines = complaints("smarthost: smtps://me:hunter2@smtp.example.com\n");
  CHECK(contains(lines, "h.yaml:1:12: smarthost: must not hold a user or a password"));
  CHECK(!contains(lines, "hunter2"));
}

TEST_CASE("config: a wrong url or host is told once, not again as missing") {
  CHECK(problems_of("smarthost: {url: nothing}\n").size() == 1);
  CHECK(problems_of("smarthost: {host: a b}\n").size() == 1);
}

TEST_CASE("config: names of smarthosts are unique") {
  std::string lines =
      complaints("smarthosts:\n  - smtps://a.example\n  - {name: A.example, host: b.example}\n");
  CHECK(contains(lines, "h.yaml:3:5: smarthosts[1]: another smarthost has this name already"));
}

}  // namespace
}  // namespace hikyaku::config
