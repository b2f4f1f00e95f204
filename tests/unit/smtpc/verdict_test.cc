// SPDX-License-Identifier: MIT
#include "smtpc/verdict.h"

#include <doctest/doctest.h>

#include "tests/unit/smtpc/verdict_cases.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;
using mail::Concerns;
using mail::Stage;
using enum Action;
using enum mail::FailureKind;

TEST_CASE("verdict: the hoped-for reply goes on, at its own stage only") {
  check_all(std::to_array<Case>({
      {Stage::greeting, "220 hello", kNewStranger, proceed},
      {Stage::ehlo, "250 hello", kNewStranger, proceed},
      {Stage::tls, "220 go", kNewStranger, proceed},
      {Stage::mail, "250 ok", kProven, proceed},
      {Stage::rcpt, "251 forwarded", kProven, proceed},
      {Stage::data, "354 go", kProven, proceed},
      {Stage::message, "250 queued", kProven, proceed},
      {Stage::greeting, "250 hello", kProven, pause_lane, protocol_error},
      {Stage::tls, "250 ok", kProven, pause_lane, protocol_error},
      {Stage::ehlo, "354 go", kProven, pause_lane, protocol_error},
      {Stage::mail, "354 go", kProven, abort_attempt, protocol_error},
      {Stage::data, "250 ok", kProven, abort_attempt, protocol_error},
      {Stage::message, "354 go", kProven, abort_attempt, protocol_error},
  }));
}

TEST_CASE("verdict: before a message every no is the smarthost's") {
  check_all(std::to_array<Case>({
      {Stage::greeting, "554 5.7.1 go away", kNewStranger, pause_lane, smarthost_refuses},
      {Stage::greeting, "421 busy", kNewStranger, pause_lane, smarthost_refuses},
      {Stage::ehlo, "502 what", kNewStranger, try_helo},
      {Stage::ehlo, "500 what", kNewStranger, try_helo},
      {Stage::ehlo, "550 not you", kNewStranger, pause_lane, smarthost_refuses},
      {Stage::ehlo, "421 busy", kNewStranger, pause_lane, smarthost_refuses},
      {Stage::tls, "454 4.7.0 not available", kNewStranger, pause_lane, starttls_not_offered},
      {Stage::tls, "502 what", kNewStranger, pause_lane, starttls_not_offered},
  }));
}

TEST_CASE("verdict: what demands something of us pauses the lane at every stage, proven or not") {
  const char* const replies[] = {"530 Authentication required",
                                 "530 5.7.0 Must issue a STARTTLS command first",
                                 "534 5.7.9 app password",
                                 "535 5.7.8 bad password",
                                 "538 encryption required",
                                 "503 5.5.1 Error: send AUTH first",
                                 "503 you must log in",
                                 "550 5.7.9 no",
                                 "550 5.7.11 no",
                                 "550 5.7.14 no",
                                 "550 5.7.30 Basic authentication is not supported",
                                 "530 5.7.57 Client not authenticated",
                                 "550 5.4.5 Daily user sending limit exceeded"};
  for (const char* text : replies)
    for (const Stage stage : kTransaction)
      for (const Context& context : kEveryContext) {
        CAPTURE(text);
        CAPTURE(mail::to_text(stage));
        CHECK(verdict(stage, reply(text), context).action == pause_lane);
      }
}

TEST_CASE("verdict: what a filter may say too pauses an unproven lane, and is evidence on a proven one") {
  const char* const replies[] = {"550 5.7.0 rejected as spam",
                                 "550 5.7.3 no",
                                 "550 5.7.8 no",
                                 "554 5.3.2 closed",
                                 "550 Your account has been suspended",
                                 "550 5.1.1 Your IP is listed",
                                 "554 5.7.1 Client host [192.0.2.1] blocked",
                                 "550 5.2.0 Sending quota exceeded",
                                 "454 Throttling failure: Daily message quota exceeded"};
  for (const char* text : replies)
    for (const Stage stage : kTransaction)
      for (const Context& context : kEveryContext) {
        CAPTURE(text);
        CAPTURE(mail::to_text(stage));
        CHECK(verdict(stage, reply(text), context).action == (context.proven ? weigh_evidence : pause_lane));
      }
}

TEST_CASE("verdict: nothing that a stranger can have quoted stops mail by itself") {
  for (const char* text :
       {"550 5.1.1 <\"your ip \"@x.test>: Recipient address rejected",
        "550 throttled.example.net: Host not found", "550 5.1.2 your-account-is.relay.example: unknown",
        "550 Subject \"Your account is blocked\" is spam",
        "550 5.1.1 subject 'sending quota exceeded' refused", "550 rejected: throttled",
        "550 mx.example.net said: 554 5.7.1 Client host [192.0.2.1] blocked"})
    for (const Context& context : {kProven, kUnproven}) {
      CAPTURE(text);
      CHECK(verdict(Stage::rcpt, reply(text), context).action == fail_recipient);
    }
}

TEST_CASE("verdict: the kind of such a refusal tells what to change") {
  check_all(std::to_array<Case>({
      {Stage::mail, "530 5.7.0 Authentication required", kNewStranger, pause_lane, credentials_demanded},
      {Stage::mail, "530 5.7.0 Authentication required", kClearStranger, pause_lane, credentials_demanded},
      {Stage::mail, "530 5.7.0 Must issue a STARTTLS command first", kClearStranger, pause_lane,
       tls_demanded},
      {Stage::mail, "550 5.7.10 Encryption needed", kClearStranger, pause_lane, tls_demanded},
      {Stage::mail, "530 5.7.0 Authentication required", kProven, pause_lane, auth_rejected},
      {Stage::mail, "503 5.5.1 send AUTH first", kNewStranger, pause_lane, credentials_demanded},
      {Stage::mail, "530 5.7.57 not authenticated", kNewStranger, pause_lane, credentials_demanded},
      {Stage::message, "550 5.7.30 Basic authentication", kProven, pause_lane, basic_auth_disabled},
      {Stage::message, "534 5.7.9 app password", kProven, pause_lane, app_password_needed},
      {Stage::rcpt, "534 5.7.14 web browser", kProven, pause_lane, auth_blocked},
      {Stage::rcpt, "550 5.4.5 quota", kProven, pause_lane, account_quota},
      {Stage::message, "554 5.3.2 closed", kProven, weigh_evidence, smarthost_refuses},
      {Stage::message, "554 5.3.2 closed", kUnproven, pause_lane, smarthost_refuses},
  }));
}

TEST_CASE("verdict: who is not logged in and refused as a stranger pauses the lane while it is unproven") {
  struct {
    Stage stage;
    const char* reply;
  } const rows[] = {
      {Stage::rcpt, "554 5.7.1 <x>: Relay access denied"},
      {Stage::rcpt, "454 4.7.1 <x>: Relay access denied"},
      {Stage::mail, "550 5.7.1 client refused"},
      {Stage::mail, "550 not from you"},
      {Stage::mail, "553 authentication is required"},
      {Stage::mail, "554 no"},
      {Stage::rcpt, "553 sorry, not in my list of allowed rcpthosts (#5.7.1)"},
      {Stage::rcpt, "550 relay not permitted"},
  };
  for (const auto& row : rows)
    check_all(std::to_array<Case>({{row.stage, row.reply, kNewStranger, pause_lane, relaying_refused},
                                   {row.stage, row.reply, kStranger, weigh_evidence, relaying_refused}}));
  check_all(std::to_array<Case>({
      {Stage::rcpt, "551 no", kNewStranger, pause_lane, relaying_refused},
      {Stage::rcpt, "551 no", kStranger, fail_recipient, recipient_refused},
      {Stage::rcpt, "550 5.0.0 no", kNewStranger, pause_lane, relaying_refused},
  }));
}

TEST_CASE("verdict: an unknown user is a recipient's failure, also for a stranger") {
  check_all(std::to_array<Case>({
      {Stage::rcpt, "550 5.1.1 unknown", kProven, fail_recipient, recipient_refused},
      {Stage::rcpt, "550 5.1.1 unknown", kUnproven, fail_recipient, recipient_refused},
      {Stage::rcpt, "550 5.1.1 unknown", kStranger, fail_recipient, recipient_refused},
      {Stage::rcpt, "550 5.1.1 unknown", kNewStranger, fail_recipient, recipient_refused},
      {Stage::rcpt, "550 unknown user", kProven, fail_recipient, recipient_refused},
      {Stage::rcpt, "550 unknown user", kUnproven, fail_recipient, recipient_refused},
      {Stage::rcpt, "550 unknown user", kStranger, fail_recipient, recipient_refused},
      {Stage::rcpt, "550 5.7.1 not for you", kProven, fail_recipient, recipient_refused},
      {Stage::rcpt, "553 5.6.7 no SMTPUTF8", kProven, fail_recipient, smtputf8_needed},
      {Stage::rcpt, "552 5.2.2 mailbox full", kProven, fail_recipient, recipient_refused},
      {Stage::rcpt, "552 too many recipients", kProven, defer_recipient, recipient_refused},
  }));
}

TEST_CASE("verdict: on an unproven smarthost a refusal that a configuration could have caused is deferred") {
  check_all(std::to_array<Case>({
      {Stage::mail, "553 5.7.1 not owned by user", kUnproven, defer_unproven, sender_not_owned},
      {Stage::mail, "550 5.1.8 bad sender", kUnproven, defer_unproven, sender_domain_unknown},
      {Stage::mail, "501 5.1.7 bad address", kUnproven, defer_unproven, sender_not_owned},
      {Stage::mail, "550 no", kUnproven, defer_unproven, sender_not_owned},
      {Stage::mail, "552 5.3.4 too big", kUnproven, defer_unproven, too_large},
      {Stage::rcpt, "553 5.7.1 <a>: Sender address rejected: not owned by user b", kUnproven, defer_unproven,
       sender_not_owned},
      {Stage::rcpt, "553 sender not owned", kUnproven, defer_unproven, sender_not_owned},
      {Stage::rcpt, "550 5.7.1 no", kUnproven, defer_unproven, recipient_refused},
      {Stage::rcpt, "550 5.7.64 tenant", kNewStranger, defer_unproven, recipient_refused},
      {Stage::message, "550 5.7.60 not allowed to send as this sender", kUnproven, defer_unproven,
       sender_not_owned},
      {Stage::message, "554 5.2.252 SendAsDenied", kUnproven, defer_unproven, sender_not_owned},
      {Stage::message, "550 5.7.1 spam", kUnproven, defer_unproven, message_refused},
      {Stage::data, "554 5.7.1 no", kUnproven, defer_unproven, message_refused},
  }));
}

TEST_CASE("verdict: on a proven smarthost a 5yz about the mail is final") {
  check_all(std::to_array<Case>({
      {Stage::mail, "553 5.7.1 not owned by user", kProven, fail_message, sender_not_owned},
      {Stage::mail, "550 no", kProven, fail_message, sender_not_owned},
      {Stage::mail, "552 5.3.4 too big", kProven, fail_message, too_large},
      {Stage::mail, "552 too big", kProven, fail_message, too_large},
      {Stage::mail, "550 5.6.7 no SMTPUTF8", kProven, fail_message, smtputf8_needed},
      {Stage::rcpt, "553 5.7.1 Sender address rejected", kProven, fail_recipient, sender_not_owned},
      {Stage::data, "554 no valid recipients", kProven, fail_message, message_refused},
      {Stage::message, "554 5.6.0 bad content", kProven, fail_message, message_refused},
      {Stage::message, "554 5.6.0 bad content", kUnproven, fail_message, message_refused},
      {Stage::message, "552 too much", kProven, fail_message, too_large},
      {Stage::message, "550 5.7.1 spam", kProven, fail_message, message_refused},
      {Stage::message, "550 5.7.1 spam", kStranger, fail_message, message_refused},
      {Stage::message, "550 5.7.60 send as denied", kProven, fail_message, sender_not_owned},
  }));
}

TEST_CASE("verdict: a filter's 552 5.7.0 to one content does not stop everybody's mail") {
  const char* const gmail =
      "552-5.7.0 This message was blocked because its content\r\n552 5.7.0 presents a risk";
  check_all(std::to_array<Case>({
      {Stage::message, gmail, kProven, fail_message, message_refused},
      {Stage::message, gmail, kUnproven, defer_unproven, message_refused},
      {Stage::mail, "552 5.7.0 no", kProven, weigh_evidence, smarthost_refuses},
  }));
}

TEST_CASE("verdict: 421 and a bare 454 end the attempt, other 4yz are the mail's own") {
  check_all(std::to_array<Case>({
      {Stage::mail, "421 4.3.2 closing", kProven, abort_attempt, smarthost_refuses},
      {Stage::rcpt, "421 closing", kProven, abort_attempt, smarthost_refuses},
      {Stage::message, "421 closing", kProven, abort_attempt, smarthost_refuses},
      {Stage::mail, "454 no", kProven, abort_attempt, smarthost_refuses},
      {Stage::mail, "451 4.7.1 greylisted", kProven, defer_message, message_refused},
      {Stage::rcpt, "450 4.7.1 greylisted", kProven, defer_recipient, recipient_refused},
      {Stage::rcpt, "450 4.2.1 rate", kProven, defer_recipient, recipient_refused},
      {Stage::rcpt, "451 4.4.5 busy", kProven, defer_recipient, recipient_refused},
      {Stage::rcpt, "454 4.7.1 not now", kProven, defer_recipient, recipient_refused},
      {Stage::rcpt, "452 too many", kUnproven, defer_recipient, recipient_refused},
      {Stage::data, "451 later", kProven, defer_message, message_refused},
      {Stage::message, "452 4.3.1 full", kProven, defer_message, message_refused},
  }));
}

TEST_CASE("verdict: a server out of step with us bounces nothing") {
  check_all(std::to_array<Case>({
      {Stage::mail, "503 5.5.1 nested MAIL", kProven, abort_attempt, protocol_error},
      {Stage::rcpt, "503 need MAIL", kProven, abort_attempt, protocol_error},
      {Stage::data, "503 need RCPT", kUnproven, abort_attempt, protocol_error},
      {Stage::mail, "500 what", kProven, abort_attempt, protocol_error},
      {Stage::data, "502 what", kStranger, abort_attempt, protocol_error},
      {Stage::message, "500 5.5.2 line too long", kProven, fail_message, message_refused},
  }));
}

TEST_CASE("verdict: nothing but a 5yz to a transaction fails anything") {
  for (int code = 200; code < 600; ++code)
    for (int stage = static_cast<int>(Stage::lookup); stage <= static_cast<int>(Stage::message); ++stage)
      for (const Context& context : kEveryContext) {
        const mail::Reply said{code, {"text"}, {}};
        const Action action = verdict(static_cast<Stage>(stage), said, context).action;
        const bool fails = action == fail_message || action == fail_recipient;
        CAPTURE(code);
        CAPTURE(stage);
        if (fails) CHECK((code >= 500 && static_cast<Stage>(stage) >= Stage::mail));
        if (action == proceed) CHECK(code < 400);
        if (action == fail_recipient || action == defer_recipient)
          CHECK(static_cast<Stage>(stage) == Stage::rcpt);
      }
}

TEST_CASE("verdict: 421 and 4.7.x ask us to slow down") {
  CHECK(verdict(Stage::mail, reply("421 busy"), kProven).slow_down);
  CHECK(verdict(Stage::greeting, reply("421 busy"), kProven).slow_down);
  CHECK(verdict(Stage::rcpt, reply("450 4.7.1 slowly"), kProven).slow_down);
  CHECK_FALSE(verdict(Stage::rcpt, reply("450 4.2.1 x"), kProven).slow_down);
  CHECK_FALSE(verdict(Stage::rcpt, reply("550 5.7.1 x"), kProven).slow_down);
}

TEST_CASE("verdict: a break is the smarthost's before a message and the message's attempt in it") {
  CHECK(verdict(Stage::connect, refused) == Verdict{pause_lane, refused, true});
  CHECK(verdict(Stage::tls, tls_expired) == Verdict{pause_lane, tls_expired, false});
  CHECK(verdict(Stage::auth, closed_early).action == pause_lane);
  CHECK(verdict(Stage::mail, closed_early) == Verdict{abort_attempt, closed_early, false});
  CHECK(verdict(Stage::message, reply_lost).action == abort_attempt);
}

TEST_CASE("verdict: whom a failure concerns follows from the action") {
  CHECK(concerns(Stage::mail, pause_lane) == Concerns::smarthost);
  CHECK(concerns(Stage::message, abort_attempt) == Concerns::message);
  CHECK(concerns(Stage::mail, weigh_evidence) == Concerns::message);
  CHECK(concerns(Stage::rcpt, weigh_evidence) == Concerns::recipient);
  CHECK(concerns(Stage::mail, defer_unproven) == Concerns::message);
  CHECK(concerns(Stage::rcpt, defer_unproven) == Concerns::recipient);
  CHECK(concerns(Stage::rcpt, fail_recipient) == Concerns::recipient);
  CHECK(concerns(Stage::message, fail_message) == Concerns::message);
}

TEST_CASE("auth_verdict: each reply of a log-in has its row") {
  check_log_ins(std::to_array<AuthCase>({
      {"235 2.7.0 welcome", {}, AuthAction::logged_in},
      {"235 ok, go ahead (#2.0.0)", {}, AuthAction::logged_in},
      {"334 VXNlcm5hbWU6", {}, AuthAction::challenge},
      {"334", {}, AuthAction::challenge},
      {"504 5.7.4 Unrecognized authentication type", {}, AuthAction::next_mechanism, no_usable_mechanism},
      {"504 unknown", {.ever_worked = true}, AuthAction::next_mechanism, no_usable_mechanism},
      {"501 malformed", {}, AuthAction::next_mechanism, no_usable_mechanism},
      {"534 5.7.4 too weak", {}, AuthAction::next_mechanism, no_usable_mechanism},
      {"534 5.7.9 app password", {}, AuthAction::stop, app_password_needed},
      {"534-5.7.14 Please log in via your web browser\r\n534 5.7.14 x", {}, AuthAction::stop, auth_blocked},
      {"535 5.7.8 bad", {}, AuthAction::next_mechanism, auth_rejected},
      {"535 5.7.8 bad", {.ever_worked = true}, AuthAction::stop, auth_rejected},
      {"535 5.7.30 Basic authentication is not supported", {}, AuthAction::stop, basic_auth_disabled},
      {"550 5.7.30 Basic authentication is not supported", {}, AuthAction::stop, basic_auth_disabled},
      {"535 5.7.139 disabled for the tenant", {}, AuthAction::stop, basic_auth_disabled},
      {"454 4.7.0 temporary", {}, AuthAction::stop, auth_temporary},
      {"432 4.7.12 password transition", {.ever_worked = true}, AuthAction::stop, auth_temporary},
      {"421 closing", {}, AuthAction::stop, auth_temporary},
      {"538 5.7.11 encryption required", {.encrypted = false}, AuthAction::stop, tls_demanded},
      {"530 5.7.0 STARTTLS first", {.encrypted = false}, AuthAction::stop, tls_demanded},
      {"538 5.7.11 encryption required",
       {.encrypted = true},
       AuthAction::next_mechanism,
       no_usable_mechanism},
      {"550 no", {.ever_worked = true}, AuthAction::stop, auth_rejected},
      {"250 ok", {}, AuthAction::stop, auth_protocol_error},
      {"354 go", {}, AuthAction::stop, auth_protocol_error},
  }));
}

TEST_CASE("auth_verdict: nobody is logged in by anything but 235") {
  for (int code = 200; code < 600; ++code)
    for (const bool worked : {false, true}) {
      const AuthVerdict result = auth_verdict(mail::Reply{code, {""}, {}}, {.ever_worked = worked});
      CHECK((result.action == AuthAction::logged_in) == (code == 235));
    }
}
