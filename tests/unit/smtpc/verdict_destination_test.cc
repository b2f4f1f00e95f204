// SPDX-License-Identifier: MIT
// What the recipients' own servers say: each word is about this mail, and none stops other mail to them.
#include "tests/unit/smtpc/verdict_cases.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;
using enum Action;
using enum mail::FailureKind;
using mail::Stage;

namespace {

constexpr Context kDestination{.proven = true, .encrypted = true, .peer = Peer::destination};
constexpr Context kNewDestination{.encrypted = true, .peer = Peer::destination};
constexpr Context kClearDestination{.peer = Peer::destination};
constexpr Context kEveryDestination[] = {kDestination, kNewDestination, kClearDestination};

}  // namespace

TEST_CASE("verdict: before MAIL a destination refuses this machine, and mail for it waits") {
  for (const Context& context : kEveryDestination)
    check_all(std::to_array<Case>({
        {Stage::greeting, "220 mx.example ESMTP", context, proceed},
        {Stage::greeting, "421 4.3.2 too busy", context, pause_lane, smarthost_refuses},
        {Stage::greeting, "521 mx.example does not accept mail", context, pause_lane, smarthost_refuses},
        {Stage::greeting, "554 5.7.1 go away", context, pause_lane, smarthost_refuses},
        {Stage::greeting, "554 Your IP address is listed at a block list", context, pause_lane,
         machine_refused},
        {Stage::greeting, "250 what?", context, pause_lane, protocol_error},
        {Stage::ehlo, "250 mx.example", context, proceed},
        {Stage::ehlo, "500 what?", context, try_helo},
        {Stage::ehlo, "550 no", context, pause_lane, smarthost_refuses},
        {Stage::tls, "220 go ahead", context, proceed},
        {Stage::tls, "454 4.7.0 TLS not available", context, pause_lane, starttls_not_offered},
        {Stage::tls, "554 no", context, pause_lane, starttls_not_offered},
    }));
}

TEST_CASE("verdict: 5yz at RCPT is the recipient's, whatever it says, proven or not") {
  for (const Context& context : {kDestination, kNewDestination})
    check_all(std::to_array<Case>({
        {Stage::rcpt, "550 5.1.1 unknown", context, fail_recipient, recipient_refused},
        {Stage::rcpt, "550 no such user", context, fail_recipient, recipient_refused},
        {Stage::rcpt, "554 5.7.1 Relay access denied", context, fail_recipient, recipient_refused},
        {Stage::rcpt, "550 5.7.1 rejected", context, fail_recipient, recipient_refused},
        {Stage::rcpt, "530 5.7.0 Authentication required", context, fail_recipient, recipient_refused},
        {Stage::rcpt, "550 5.7.0 policy", context, fail_recipient, recipient_refused},
        {Stage::rcpt, "554 5.7.1 Client host [192.0.2.1] blocked using bl.example", context, fail_recipient,
         machine_refused},
        {Stage::rcpt, "553 5.1.8 sender domain does not exist", context, fail_recipient,
         sender_domain_unknown},
        {Stage::rcpt, "550 5.7.23 SPF", context, fail_recipient, sender_not_authenticated},
        {Stage::rcpt, "552 too many recipients", context, defer_recipient, recipient_refused},
        {Stage::rcpt, "450 4.2.0 greylisted", context, defer_recipient, recipient_refused},
        {Stage::rcpt, "454 4.7.1 Relay access denied", context, defer_recipient, recipient_refused},
        {Stage::rcpt, "421 4.4.2 bye", context, abort_attempt, smarthost_refuses},
        {Stage::rcpt, "250 ok", context, proceed},
    }));
}

TEST_CASE("verdict: 5yz at MAIL, DATA or the dot is the message's") {
  for (const Context& context : {kDestination, kNewDestination})
    for (const Stage stage : {Stage::mail, Stage::data, Stage::message})
      check_all(std::to_array<Case>({
          {stage, "550 5.7.1 no", context, fail_message, message_refused},
          {stage, "554 5.7.0 spam", context, fail_message, message_refused},
          {stage, "550 sending quota exceeded", context, fail_message, message_refused},
          {stage, "535 5.7.8 log in", context, fail_message, message_refused},
          {stage, "550 5.7.26 Unauthenticated", context, fail_message, sender_not_authenticated},
          {stage, "553 5.1.8 no such domain", context, fail_message, sender_domain_unknown},
          {stage, "552 5.3.4 too big", context, fail_message, too_large},
          {stage, "553 5.6.7 no UTF-8", context, fail_message, smtputf8_needed},
          {stage, "451 4.3.0 later", context, defer_message, message_refused},
          {stage, "450 4.1.8 no such domain", context, defer_message, sender_domain_unknown},
          {stage, "503 5.5.1 out of order", context, abort_attempt, protocol_error},
      }));
}

TEST_CASE("verdict: a destination that demands TLS where ours has failed is tried again") {
  check_all(std::to_array<Case>({
      {Stage::mail, "530 5.7.0 Must issue a STARTTLS command first", kClearDestination, defer_message,
       tls_demanded},
      {Stage::rcpt, "550 5.7.10 encryption needed", kClearDestination, defer_recipient, tls_demanded},
      {Stage::rcpt, "550 5.7.10 encryption needed", kDestination, fail_recipient, recipient_refused},
      {Stage::mail, "530 5.7.0 Must issue a STARTTLS command first", kDestination, fail_message,
       message_refused},
  }));
}

TEST_CASE("verdict: no reply within a mail pauses a destination, or counts as evidence against all mail") {
  const std::string texts[] = {
      "",           " 5.7.0 x",  " 5.7.1 x",         " 5.7.8 x", " 5.7.57 x",
      " 5.3.2 x",   " 5.4.5 x",  " relaying denied", " quota",   " your IP address is listed",
      " 5.7.606 x", " 5.7.9 app"};
  for (int code = 200; code < 600; ++code)
    for (const std::string& text : texts)
      for (const Stage stage : kTransaction)
        for (const Context& context : kEveryDestination) {
          auto parsed = mail::parse_reply(std::to_string(code) + text);
          if (!parsed) continue;
          const Action action = verdict(stage, *parsed, context).action;
          const bool is_about_mail = action != pause_lane && action != weigh_evidence &&
                                     action != defer_unproven && action != try_helo;
          CHECK_MESSAGE(is_about_mail, mail::to_text(stage), " ", code, text);
        }
}
