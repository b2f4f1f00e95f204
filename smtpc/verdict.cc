// SPDX-License-Identifier: MIT
#include "smtpc/verdict.h"

#include <algorithm>

#include "smtpc/reply_words.h"
#include "smtpc/verdict_rows.h"

namespace hikyaku::smtpc {

namespace {

using mail::Reply;
using mail::Stage;
using namespace rows;
using enum Action;
using enum mail::FailureKind;

// ---- the table for smarthosts: the first row that fits decides. A reply that fits no row is nonsense. Where a row weighs
// evidence, an unproven smarthost is taken to refuse us.

constexpr Row kRows[] = {
    // The expected replies.
    {kGreeting, only(220), kAnyStatus, kAlways, proceed},
    {kEhlo, k2yz, kAnyStatus, kAlways, proceed},
    {kTls, only(220), kAnyStatus, kAlways, proceed},
    {kMail | kRcpt | kMessage, k2yz, kAnyStatus, kAlways, proceed},
    {kData, only(354), kAnyStatus, kAlways, proceed},

    // Before the first command of a message, every refusal is about us.
    {kEhlo, {500, 504}, kAnyStatus, kAlways, try_helo, smarthost_refuses},
    {kTls, k4yz, kAnyStatus, kAlways, pause_lane, starttls_not_offered},
    {kTls, k5yz, kAnyStatus, kAlways, pause_lane, starttls_not_offered},
    {kGreeting | kEhlo, k4yz, kAnyStatus, kAlways, pause_lane, smarthost_refuses},
    {kGreeting | kEhlo, k5yz, kAnyStatus, kAlways, pause_lane, smarthost_refuses},

    // 5.7.0 to the content of one message is a filter's (552-5.7.0 "blocked because its content …"), not
    // about us.
    {kMessage, only(552), status(7, 0), kUnproven, defer_unproven, message_refused},
    {kMessage, only(552), status(7, 0), kAlways, fail_message, message_refused},

    // The smarthost demands something of us, at any stage.
    {kMail, k5yz, status(7, 30), kAlways, pause_lane, basic_auth_disabled},
    {kTransaction, k5yz, status(7, 30), kSpeaksOfPasswords, pause_lane, basic_auth_disabled},
    {kTransaction, k5yz, status(7, 9), kAlways, pause_lane, app_password_needed},
    {kTransaction, k5yz, status(7, 14), kAlways, pause_lane, auth_blocked},
    {kTransaction, k5yz, status(7, 10), kInClear, pause_lane, tls_demanded},
    {kTransaction, k5yz, status(7, 11), kInClear, pause_lane, tls_demanded},
    {kTransaction, only(538), kAnyStatus, kInClear, pause_lane, tls_demanded},
    {kTransaction, only(530), kAnyStatus, kInClear | kSpeaksOfTls, pause_lane, tls_demanded},
    {kTransaction, k5yz, status(7, 0), kInClear | kSpeaksOfTls, weigh_evidence, tls_demanded},
    {kTransaction, only(530), kAnyStatus, kNotLoggedIn, pause_lane, credentials_demanded},
    {kTransaction, only(530), kAnyStatus, kAlways, pause_lane, auth_rejected},
    {kTransaction, {534, 535}, kAnyStatus, kNotLoggedIn, pause_lane, credentials_demanded},
    {kTransaction, {534, 535}, kAnyStatus, kAlways, pause_lane, auth_rejected},
    {kTransaction, only(538), kAnyStatus, kAlways, pause_lane, smarthost_refuses},
    {kTransaction, only(503), kAnyStatus, kSpeaksOfAuth | kNotLoggedIn, pause_lane, credentials_demanded},
    {kTransaction, only(503), kAnyStatus, kSpeaksOfAuth, pause_lane, auth_rejected},
    {kTransaction, k5yz, status(7, 0), kSpeaksOfLimit, weigh_evidence, account_quota},
    {kTransaction, k5yz, status(7, 0), kNotLoggedIn, weigh_evidence, credentials_demanded},
    {kTransaction, k5yz, status(7, 3), kNotLoggedIn, weigh_evidence, credentials_demanded},
    {kTransaction, k5yz, status(7, 8), kNotLoggedIn, weigh_evidence, credentials_demanded},
    {kTransaction, k5yz, status(7, 57), kNotLoggedIn, pause_lane, credentials_demanded},
    {kTransaction, k5yz, status(7, 0), kAlways, weigh_evidence, smarthost_refuses},
    {kTransaction, k5yz, status(7, 3), kAlways, weigh_evidence, auth_rejected},
    {kTransaction, k5yz, status(7, 8), kAlways, weigh_evidence, auth_rejected},
    {kTransaction, k5yz, status(7, 11), kAlways, pause_lane, smarthost_refuses},
    {kTransaction, k5yz, status(7, 57), kAlways, pause_lane, auth_rejected},
    {kTransaction, k5yz, status(3, 2), kAlways, weigh_evidence, smarthost_refuses},
    {kTransaction, k5yz, status(4, 5), kAlways, pause_lane, account_quota},

    // About the mail's sender: its domain does not allow this provider (RFC 7372; Gmail says 5.7.27 for SPF
    // and 5.7.30 for DKIM, which is Exchange Online's code for passwords). Whatever else the text speaks of.
    {kMail | kData | kMessage, k5yz, status(7, 20, 24), kUnproven, defer_unproven, sender_not_authenticated},
    {kMail | kData | kMessage, k5yz, status(7, 26, 27), kUnproven, defer_unproven, sender_not_authenticated},
    {kMail | kData | kMessage, k5yz, status(7, 30), kUnproven, defer_unproven, sender_not_authenticated},
    {kMail | kData | kMessage, k5yz, status(7, 20, 24), kAlways, fail_message, sender_not_authenticated},
    {kMail | kData | kMessage, k5yz, status(7, 26, 27), kAlways, fail_message, sender_not_authenticated},
    {kMail | kData | kMessage, k5yz, status(7, 30), kAlways, fail_message, sender_not_authenticated},
    {kRcpt, k5yz, status(7, 20, 24), kUnproven, defer_unproven, sender_not_authenticated},
    {kRcpt, k5yz, status(7, 26, 27), kUnproven, defer_unproven, sender_not_authenticated},
    {kRcpt, k5yz, status(7, 30), kUnproven, defer_unproven, sender_not_authenticated},
    {kRcpt, k5yz, status(7, 20, 24), kAlways, fail_recipient, sender_not_authenticated},
    {kRcpt, k5yz, status(7, 26, 27), kAlways, fail_recipient, sender_not_authenticated},
    {kRcpt, k5yz, status(7, 30), kAlways, fail_recipient, sender_not_authenticated},
    {kMail | kData | kMessage,
     {450, 453},
     status(7, 26, 27),
     kAlways,
     defer_message,
     sender_not_authenticated},
    {kRcpt, {450, 453}, status(7, 26, 27), kAlways, defer_recipient, sender_not_authenticated},

    // The account's limit, or the account itself, is refused; some providers have codes of their own for
    // that. (Exchange Online: 5.2.25x is the account's mailbox, 5.7.23x and 5.7.7xx its tenant, 5.7.50x and
    // 5.7.6xx the account or this machine's address.) Those that have none only say so.
    {kTransaction, k5yz, status(2, 251), kAlways, pause_lane, account_quota},
    {kTransaction, k5yz, status(2, 253, 255), kAlways, pause_lane, account_quota},
    {kTransaction, k5yz, status(7, 232, 233), kAlways, pause_lane, account_quota},
    {kTransaction, k5yz, status(7, 501, 503), kAlways, pause_lane, smarthost_refuses},
    {kTransaction, k5yz, status(7, 506), kAlways, pause_lane, smarthost_refuses},
    {kTransaction, k5yz, status(7, 508), kAlways, pause_lane, smarthost_refuses},
    {kTransaction, k5yz, status(7, 511), kAlways, pause_lane, smarthost_refuses},
    {kTransaction, k5yz, status(7, 606, 649), kAlways, pause_lane, smarthost_refuses},
    {kTransaction, k5yz, status(7, 705), kAlways, pause_lane, account_quota},
    {kTransaction, k5yz, status(7, 708), kAlways, pause_lane, smarthost_refuses},
    {kTransaction, k5yz, status(7, 750), kAlways, pause_lane, smarthost_refuses},
    {kTransaction, k5yz, kAnyStatus, kSpeaksOfLimit, weigh_evidence, account_quota},
    {kTransaction, only(454), kAnyStatus, kSpeaksOfLimit, weigh_evidence, account_quota},
    {kTransaction, k5yz, kAnyStatus, kSpeaksOfRate, weigh_evidence, smarthost_refuses},
    {kTransaction, only(454), kAnyStatus, kSpeaksOfRate, weigh_evidence, smarthost_refuses},
    {kTransaction, k5yz, kAnyStatus, kSpeaksOfAccount, weigh_evidence, smarthost_refuses},
    {kMail | kRcpt, k5yz, kAnyStatus, kInClear | kSpeaksOfTls, weigh_evidence, tls_demanded},
    {kMail, k4yz, kAnyStatus, kInClear | kSpeaksOfTls, weigh_evidence, tls_demanded},

    // Client and server are out of step; that says nothing about any mail. (500 to the content: a line too
    // long.)
    {kTransaction, only(503), kAnyStatus, kAlways, abort_attempt, protocol_error},
    {kMail | kRcpt | kData, only(500), kAnyStatus, kAlways, abort_attempt, protocol_error},
    {kTransaction, only(502), kAnyStatus, kAlways, abort_attempt, protocol_error},
    {kTransaction, k5yz, kAnyStatus, kUnproven | kSpeaksOfProtocol, abort_attempt, protocol_error},
    {kTransaction, k5yz, kAnyStatus, kSpeaksOfProtocol, weigh_evidence, protocol_error},

    // We are not logged in, and the smarthost takes no mail from strangers. (Postfix by default says so with
    // 454.) A bare 550 to a recipient means that only while nothing else is known: a relay that has taken
    // mail may mean an unknown user.
    {kMail | kRcpt, k5yz, status(7, 1), kNotLoggedIn, weigh_evidence, relaying_refused},
    {kMail | kRcpt, only(454), status(7, 1), kNotLoggedIn, weigh_evidence, relaying_refused},
    {kMail, {550, 551}, kNoStatus, kNotLoggedIn, weigh_evidence, relaying_refused},
    {kMail, {553, 554}, kNoStatus, kNotLoggedIn, weigh_evidence, relaying_refused},
    {kRcpt, {550, 551}, kNoStatus, kNotLoggedIn | kUnproven, pause_lane, relaying_refused},
    {kRcpt, {553, 554}, kNoStatus, kNotLoggedIn | kUnproven, pause_lane, relaying_refused},
    {kRcpt, {550, 551}, kNoStatus, kNotLoggedIn | kSpeaksOfRelaying, weigh_evidence, relaying_refused},
    {kRcpt, {553, 554}, kNoStatus, kNotLoggedIn | kSpeaksOfRelaying, weigh_evidence, relaying_refused},

    // This machine is refused, for its address or its EHLO name; most servers say so only at RCPT.
    {kTransaction, k5yz, kAnyStatus, kSpeaksOfMachine, weigh_evidence, smarthost_refuses},

    // The sender's domain does not exist in DNS.
    {kTransaction, k5yz, status(1, 8), kUnproven, defer_unproven, sender_domain_unknown},
    {kMail | kData | kMessage, k5yz, status(1, 8), kAlways, fail_message, sender_domain_unknown},
    {kRcpt, k5yz, status(1, 8), kAlways, fail_recipient, sender_domain_unknown},

    // About the mail, but on an unproven smarthost more probably a mistake of the configuration.
    {kMail, k5yz, status(3, 4), kUnproven, defer_unproven, too_large},
    {kMail, k5yz, status(6, 7), kUnproven, defer_unproven, smtputf8_needed},
    {kMail, k5yz, kAnyStatus, kUnproven, defer_unproven, sender_not_owned},
    {kRcpt, k5yz, kAnyStatus, kUnproven | kSpeaksOfSender, defer_unproven, sender_not_owned},
    {kRcpt, k5yz, status(1, 7, 8), kUnproven, defer_unproven, sender_not_owned},
    {kRcpt, k5yz, kAnyStatus, kUnproven | kSpeaksOfRelaying, defer_unproven, relaying_refused},
    {kRcpt, k5yz, status(7), kUnproven, defer_unproven, recipient_refused},
    // Some servers check the sender only when they have the header: 550 5.7.60, 554 5.2.252 SendAsDenied.
    {kData | kMessage, k5yz, kAnyStatus, kUnproven | kSpeaksOfSender, defer_unproven, sender_not_owned},
    {kData | kMessage, k5yz, status(1, 7, 8), kUnproven, defer_unproven, sender_not_owned},
    {kData | kMessage, k5yz, kAnyStatus, kUnproven | kSpeaksOfRelaying, defer_unproven, relaying_refused},
    {kData | kMessage, k5yz, status(7), kUnproven, defer_unproven, message_refused},
    {kData | kMessage, k5yz, status(2, 252), kUnproven, defer_unproven, sender_not_owned},

    // About the mail. A bare 552 to a recipient is an old word for "too many" (RFC 5321 4.5.3.1.10).
    {kMail | kData | kMessage, k5yz, status(6, 7), kAlways, fail_message, smtputf8_needed},
    {kRcpt, k5yz, status(6, 7), kAlways, fail_recipient, smtputf8_needed},
    {kMail | kData | kMessage, k5yz, status(3, 4), kAlways, fail_message, too_large},
    {kRcpt, k5yz, status(3, 4), kAlways, fail_recipient, too_large},
    {kMail | kData | kMessage, k5yz, status(2, 3), kAlways, fail_message, too_large},
    {kMail | kMessage, only(552), kNoStatus, kAlways, fail_message, too_large},
    {kMail, k5yz, kAnyStatus, kAlways, fail_message, sender_not_owned},
    {kRcpt, only(552), kNoStatus, kAlways, defer_recipient, recipient_refused},
    {kRcpt, k5yz, status(7), kSpeaksOfSender, fail_recipient, sender_not_owned},
    {kRcpt, k5yz, status(1, 7, 8), kAlways, fail_recipient, sender_not_owned},
    {kRcpt, k5yz, kAnyStatus, kAlways, fail_recipient, recipient_refused},
    {kData | kMessage, k5yz, kAnyStatus, kSpeaksOfSender, fail_message, sender_not_owned},
    {kData | kMessage, k5yz, status(1, 7, 8), kAlways, fail_message, sender_not_owned},
    {kData | kMessage, k5yz, status(2, 252), kAlways, fail_message, sender_not_owned},
    {kData | kMessage, k5yz, kAnyStatus, kAlways, fail_message, message_refused},

    // Not now. 421 says that the connection ends (RFC 5321 3.8), a 454 that does not speak of this mail is
    // like it.
    {kTransaction, only(421), kAnyStatus, kAlways, abort_attempt, smarthost_refuses},
    {kMail | kData | kMessage, {450, 453}, status(1, 8), kAlways, defer_message, sender_domain_unknown},
    {kRcpt, {450, 453}, status(1, 8), kAlways, defer_recipient, sender_domain_unknown},
    {kMail, only(454), status(7), kAlways, defer_message, message_refused},
    {kRcpt, only(454), status(7), kAlways, defer_recipient, recipient_refused},
    {kTransaction, only(454), kAnyStatus, kAlways, abort_attempt, smarthost_refuses},
    {kMail | kData | kMessage, k4yz, kAnyStatus, kAlways, defer_message, message_refused},
    {kRcpt, k4yz, kAnyStatus, kAlways, defer_recipient, recipient_refused},

    // A reply to something else: 354 to MAIL, 250 to DATA.
    {kBefore, kAnyCode, kAnyStatus, kAlways, pause_lane, protocol_error},
    {kTransaction, kAnyCode, kAnyStatus, kAlways, abort_attempt, protocol_error},
};

// ---- the table of log-ins

constexpr Conditions kWorkedBefore = 128;

struct AuthRow {
  Codes codes;
  Status status;
  Conditions conditions;
  AuthAction action;
  mail::FailureKind kind = other;
};

constexpr AuthRow kAuthRows[] = {
    {only(235), kAnyStatus, kAlways, AuthAction::logged_in},
    {only(334), kAnyStatus, kAlways, AuthAction::challenge},

    // No mechanism would work, and each further attempt brings the account nearer to being locked.
    {k5yz, status(7, 30), kAlways, AuthAction::stop, basic_auth_disabled},
    {k5yz, status(7, 139), kAlways, AuthAction::stop, basic_auth_disabled},
    {k5yz, status(7, 9), kAlways, AuthAction::stop, app_password_needed},
    {k5yz, status(7, 14), kAlways, AuthAction::stop, auth_blocked},
    {only(525), kAnyStatus, kAlways, AuthAction::stop, auth_blocked},
    {k5yz, status(7, 13), kAlways, AuthAction::stop, auth_blocked},
    {only(524), kAnyStatus, kInClear, AuthAction::stop, tls_demanded},
    {only(538), kAnyStatus, kInClear, AuthAction::stop, tls_demanded},
    {only(530), kAnyStatus, kInClear, AuthAction::stop, tls_demanded},
    {k5yz, status(7, 11), kInClear, AuthAction::stop, tls_demanded},
    {k4yz, kAnyStatus, kAlways, AuthAction::stop, auth_temporary},

    // Not this mechanism. Some servers send 535 for an unknown mechanism, so 535 is final only where one has
    // worked.
    {{500, 504}, kAnyStatus, kAlways, AuthAction::next_mechanism, no_usable_mechanism},
    {only(534), kAnyStatus, kAlways, AuthAction::next_mechanism, no_usable_mechanism},
    {only(538), kAnyStatus, kAlways, AuthAction::next_mechanism, no_usable_mechanism},
    {k5yz, kAnyStatus, kWorkedBefore, AuthAction::stop, auth_rejected},
    {k5yz, kAnyStatus, kAlways, AuthAction::next_mechanism, auth_rejected},

    // An unexpected 250, 354 or the like: we are not logged in.
    {kAnyCode, kAnyStatus, kAlways, AuthAction::stop, auth_protocol_error},
};

// ---- how a row fits

// Texts never make anything more final. They only choose the words of the diagnosis, or the more patient
// verdict; and on a proven smarthost no text stops other mail by itself.
Conditions conditions_of(const ReplyWords& says) {
  Conditions holding = kAlways;
  if (says.authentication) holding |= kSpeaksOfAuth;
  if (says.relaying) holding |= kSpeaksOfRelaying;
  if (says.sender) holding |= kSpeaksOfSender;
  if (says.tls) holding |= kSpeaksOfTls;
  if (says.limit) holding |= kSpeaksOfLimit;
  if (says.account) holding |= kSpeaksOfAccount;
  if (says.machine) holding |= kSpeaksOfMachine;
  if (says.protocol) holding |= kSpeaksOfProtocol;
  if (says.rate) holding |= kSpeaksOfRate;
  if (says.passwords) holding |= kSpeaksOfPasswords;
  return holding;
}

Conditions conditions_of(const Context& context) {
  return static_cast<Conditions>((context.logged_in ? kAlways : kNotLoggedIn) |
                                 (context.proven ? kAlways : kUnproven) |
                                 (context.encrypted ? kAlways : kInClear));
}

Conditions conditions_of(const AuthContext& context) {
  return static_cast<Conditions>((context.ever_worked ? kWorkedBefore : kAlways) |
                                 (context.encrypted ? kAlways : kInClear));
}

// x.0.0 says no more than no status.
bool fits(const Status& wanted, const Reply& reply) {
  const bool absent = !reply.status || (reply.status->subject == 0 && reply.status->detail == 0);
  if (wanted.kind == Status::any) return true;
  if (wanted.kind == Status::absent || absent) return absent && wanted.kind == Status::absent;
  return wanted.subject == reply.status->subject && wanted.from <= reply.status->detail &&
         reply.status->detail <= wanted.to;
}

bool fits(const auto& row, const Reply& reply, Conditions holding) {
  return row.codes.from <= reply.code && reply.code <= row.codes.to && fits(row.status, reply) &&
         (row.conditions & ~holding) == 0;
}

bool is_slow_down(const Reply& reply, const ReplyWords& says) {
  const bool is_policy = reply.status && reply.status->subject == 7;
  return reply.is_transient() &&
         (reply.code == 421 || is_policy || says.limit || says.rate || says.connections);
}

// Until the smarthost has accepted a mail, whatever may be a mistake of the configuration is taken for one.
Action in_context(Action action, const Context& context) {
  return action == weigh_evidence && !context.proven ? pause_lane : action;
}

}  // namespace

Verdict verdict(Stage stage, mail::FailureKind kind) {
  return {stage < Stage::mail ? pause_lane : abort_attempt, kind, kind == refused};
}

Verdict verdict(Stage stage, const Reply& reply, const Context& context) {
  const ReplyWords says = words_of(reply);
  const auto holding = static_cast<Conditions>(conditions_of(context) | conditions_of(says));
  const std::span<const Row> rows =
      context.peer == Peer::destination ? destination_rows() : std::span<const Row>(kRows);
  for (const Row& row : rows)
    if ((row.stages & at({stage})) != 0 && fits(row, reply, holding))
      return {in_context(row.action, context), row.kind, is_slow_down(reply, says)};
  return verdict(stage, protocol_error);
}

mail::Concerns concerns(Stage stage, Action action) {
  switch (action) {
    case proceed:
    case try_helo:
    case pause_lane: return mail::Concerns::smarthost;
    case abort_attempt:
    case defer_message:
    case fail_message: return mail::Concerns::message;
    case weigh_evidence:
    case defer_unproven: return stage == Stage::rcpt ? mail::Concerns::recipient : mail::Concerns::message;
    case defer_recipient:
    case fail_recipient: return mail::Concerns::recipient;
  }
  return mail::Concerns::smarthost;
}

AuthVerdict auth_verdict(const Reply& reply, const AuthContext& context) {
  const Conditions holding = conditions_of(context);
  for (const AuthRow& row : kAuthRows)
    if (fits(row, reply, holding)) return {row.action, row.kind};
  return {AuthAction::stop, auth_protocol_error};
}

}  // namespace hikyaku::smtpc
