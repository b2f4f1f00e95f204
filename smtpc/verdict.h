// SPDX-License-Identifier: MIT
// Whose error is it? A pure table, one row a case, that turns a smarthost's reply into an action. Its
// promise: a mistake in the configuration never bounces mail. Only a 5yz about this message or this recipient
// does, and on an unproven smarthost (one that has not yet accepted a message with this configuration) hardly
// any.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "daemon/mail/failure.h"

namespace hikyaku::smtpc {

enum class Action : std::uint8_t {
  proceed,     // the expected reply: 220 greeting, 2yz, 354 to DATA
  try_helo,    // EHLO is not understood
  pause_lane,  // the smarthost refuses us, not this mail: hang up, pause, tell the operator; the mail waits
  abort_attempt,  // 421, 454 or a reply that does not fit: hang up; an attempt of this message, and it counts
                  // towards "two different messages in a row"
  defer_message,  // the message's own 4yz: its schedule applies; the connection goes on
  weigh_evidence,  // this mail alone may be meant, or all of ours: it is deferred, and what happens to others
                   // meanwhile decides (smtpc/evidence.h)
  defer_unproven,  // probably a mistake of configuration (at rcpt: of this recipient only): as a 4yz,
                   // reported, fails at the earliest after queue.lifetime
  fail_message,
  defer_recipient,
  fail_recipient,
};

struct Verdict {
  Action action = Action::proceed;
  mail::FailureKind kind = mail::FailureKind::other;  // meaningless with `proceed`
  bool slow_down = false;  // 421, 4.7.x, too many connections: halve the limit of connections
  bool operator==(const Verdict&) const = default;
};

// A server of the recipients' domain (direct delivery) is nobody's smarthost: it relays for nobody, demands no
// log-in, and there is nothing to prove about a configuration. So what it says of a mail is that mail's: 5yz at
// RCPT fails the recipient, at MAIL, DATA or the dot the message, 4yz defers; none of it stops other mail to
// it. Before MAIL it refuses this machine: another of the domain's servers is tried at once, and when each has
// refused, mail for the domain waits. That holds for 521 and 554 too: RFC 7504 would let them end the mail, but
// servers greet with 554 whoever stands on a block list today.
enum class Peer : std::uint8_t { smarthost, destination };

// The state of the session when the reply comes.
struct Context {
  bool logged_in = false;
  bool proven = false;  // has accepted a message since its configuration or credentials last changed
  bool encrypted = false;
  Peer peer = Peer::smarthost;
  bool operator==(const Context&) const = default;
};

// For a failure without a (valid) reply: the smarthost's before and during log-in, afterwards an attempt of
// the message under way.
Verdict verdict(mail::Stage stage, mail::FailureKind kind);

// For the stages greeting, ehlo, tls (the reply to STARTTLS), mail, rcpt, data and message; any code.
Verdict verdict(mail::Stage stage, const mail::Reply& reply, const Context& context);

// Whom a failure with this action concerns. A failure that breaks an attempt off concerns its message.
mail::Concerns concerns(mail::Stage stage, Action action);

enum class AuthAction : std::uint8_t {
  logged_in,       // 235
  challenge,       // 334
  next_mechanism,  // this mechanism does not work here; if none is left: pause with the kind
  stop,            // no mechanism would work: pause with the kind
};

struct AuthVerdict {
  AuthAction action = AuthAction::stop;
  mail::FailureKind kind = mail::FailureKind::other;  // meaningless with logged_in and challenge
  bool operator==(const AuthVerdict&) const = default;
};

struct AuthContext {
  bool ever_worked = false;  // some mechanism has worked with these credentials
  bool encrypted = false;
};

// For each reply during AUTH.
AuthVerdict auth_verdict(const mail::Reply& reply, const AuthContext& context);

// A failure with the action that follows. Plain values.

struct Refusal {
  mail::Failure failure;
  Verdict verdict;
};

}  // namespace hikyaku::smtpc
