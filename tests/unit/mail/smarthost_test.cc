// SPDX-License-Identifier: MIT
// A smarthost in a line.
#include "daemon/mail/smarthost.h"

#include <doctest/doctest.h>

using namespace hikyaku;
using namespace hikyaku::mail;

TEST_CASE("smarthost: it is described with port, TLS and who logs in, but not with the password") {
  Smarthost smarthost;
  smarthost.name = "main";
  smarthost.host = "smtp.example.com";
  smarthost.port = 587;
  smarthost.tls.mode = TlsMode::starttls;
  CHECK(describe(smarthost) ==
        "main: smtp.example.com port 587, STARTTLS required, no credentials: no log-in");
  Credentials credentials;
  credentials.user = "me";
  credentials.password = Secret("hush");
  credentials.origin = "/etc/authinfo:3";
  smarthost.credentials = credentials;
  CHECK(describe(smarthost) ==
        "main: smtp.example.com port 587, STARTTLS required, logs in as me (/etc/authinfo:3)");
  smarthost.auth = false;
  smarthost.tls.mode = TlsMode::implicit;
  CHECK(describe(smarthost) == "main: smtp.example.com port 587, implicit TLS, no log-in");
  smarthost.lookup_mx = true;
  CHECK(describe(smarthost).starts_with("main: smtp.example.com (by its MX records) port 587, "));
  smarthost.lookup_mx = false;
  smarthost.rates = {{14, RateUnit::second}, {10000, RateUnit::day}};
  CHECK(describe(smarthost) ==
        "main: smtp.example.com port 587, implicit TLS, at most 14/s, at most 10000/day, no log-in");
  smarthost.rates.clear();
  smarthost.rewrite.envelope_from = smarthost.rewrite.header_from = "me@example.com";
  CHECK(describe(smarthost) ==
        "main: smtp.example.com port 587, implicit TLS, mail leaves as me@example.com, no log-in");
  smarthost.rewrite.header_from = "you@example.com";
  CHECK(describe(smarthost) ==
        "main: smtp.example.com port 587, implicit TLS, sender me@example.com, From you@example.com, no "
        "log-in");
}
