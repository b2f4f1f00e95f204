// SPDX-License-Identifier: MIT
// The words for failures with the recipients' own servers: no advice about a smarthost that there is none of.
#include <doctest/doctest.h>

#include "daemon/mail/diagnosis.h"

using namespace hikyaku;
using namespace hikyaku::mail;
using enum FailureKind;

namespace {

Failure direct_failure(FailureKind kind, Stage stage = Stage::connect, const char* reply = nullptr) {
  Failure made;
  made.kind = kind;
  made.stage = stage;
  made.is_direct = true;
  made.smarthost = "direct";
  made.host = "shop.example";
  made.port = 25;
  made.tls = TlsMode::opportunistic;
  made.sender = "app@us.example";
  made.recipient = "bob@shop.example";
  if (reply != nullptr) made.reply = parse_reply(reply);
  return made;
}

struct DirectCase {
  Failure failure;
  std::vector<const char*> says;
};

std::vector<DirectCase> direct_cases() {
  return {
      {direct_failure(lookup_failed, Stage::lookup), {"mail servers of shop.example", "tried again"}},
      {direct_failure(no_such_name, Stage::lookup), {"shop.example has no address"}},
      {direct_failure(no_such_domain, Stage::lookup), {"domain shop.example does not exist", "correct the"}},
      {direct_failure(no_mail_server, Stage::lookup), {"neither MX nor address"}},
      {direct_failure(null_mx, Stage::lookup),
       {"shop.example takes no mail", "(null MX)", "another address"}},
      {direct_failure(mail_loops, Stage::lookup), {"of shop.example is this machine itself", "route"}},
      {direct_failure(ourselves), {"shop.example:25", "this daemon itself", "route"}},
      {direct_failure(machine_refused, Stage::rcpt, "554 5.7.1 listed at bl.example"),
       {"takes no mail from this machine: 554 5.7.1 listed at bl.example", "block list"}},
      {direct_failure(refused), {"nobody listens on shop.example:25", "tried again"}},
      {direct_failure(connect_timed_out), {"no answer from shop.example:25", "(OP25B)", "tried again"}},
      {direct_failure(greeting_timed_out, Stage::greeting), {"said nothing"}},
      {direct_failure(closed_early, Stage::greeting), {"hung up", "may refuse this machine"}},
      {direct_failure(closed_early, Stage::rcpt), {"without a reply (recipient, RCPT)"}},
      {direct_failure(protocol_error, Stage::greeting), {"does not speak SMTP"}},
      {direct_failure(starttls_not_offered, Stage::tls), {"does not offer STARTTLS", "nothing was sent"}},
      {direct_failure(tls_demanded, Stage::mail), {"without TLS, and TLS with it failed"}},
      {direct_failure(sender_not_authenticated, Stage::message, "550 5.7.26 no"),
       {"refused mail from <app@us.example>", "the domain us.example", "(SPF)", "DKIM"}},
      {direct_failure(sender_not_authenticated, Stage::message, "450 4.7.26 no"), {"app@us.example> now"}},
      {direct_failure(smtputf8_needed, Stage::mail), {"SMTPUTF8", "use an ASCII address"}},
      {direct_failure(port_blocked), {"(OP25B)", "587 or 465"}},
      {direct_failure(recipient_refused, Stage::rcpt, "550 5.1.1 unknown"),
       {"refused the recipient <bob@shop.example>: 550 5.1.1"}},
  };
}

}  // namespace

TEST_CASE("diagnosis: a failure with a recipient's own server advises nothing about smarthosts' settings") {
  for (const DirectCase& row : direct_cases()) {
    const std::string text = diagnose(row.failure);
    for (const char* words : row.says) CHECK_MESSAGE(text.find(words) != text.npos, words, " <- ", text);
    for (const char* words : {"`host`", "`port`", "authinfo", "`tls"})
      CHECK_MESSAGE(text.find(words) == text.npos, words, " <- ", text);
  }
}

TEST_CASE("diagnosis: users read that the recipient's server is meant, and who has to act") {
  Failure failure = direct_failure(connect_timed_out);
  CHECK(public_diagnosis(failure) ==
        "the recipient's mail server cannot be reached, or does not answer; it is tried again by itself");
  for (int kind = 0; kind <= static_cast<int>(other); ++kind) {
    failure.kind = static_cast<FailureKind>(kind);
    CHECK(public_diagnosis(failure).find("smarthost") == std::string::npos);
  }
  failure.kind = port_blocked;
  CHECK(public_diagnosis(failure) ==
        "no mail server can be reached from this machine; the administrator has to correct it");
}
