// SPDX-License-Identifier: MIT
#include "smtpc/verdict_rows.h"

namespace hikyaku::smtpc::rows {
namespace {

using enum Action;
using enum mail::FailureKind;

constexpr Stages kWhole = kMail | kData | kMessage;  // whatever is about the message

constexpr Row kDestinationRows[] = {
    // The expected replies.
    {kGreeting, only(220), kAnyStatus, kAlways, proceed},
    {kEhlo, k2yz, kAnyStatus, kAlways, proceed},
    {kTls, only(220), kAnyStatus, kAlways, proceed},
    {kMail | kRcpt | kMessage, k2yz, kAnyStatus, kAlways, proceed},
    {kData, only(354), kAnyStatus, kAlways, proceed},

    // Before the first command of a message it refuses this machine.
    {kEhlo, {500, 504}, kAnyStatus, kAlways, try_helo, smarthost_refuses},
    {kTls, k4yz, kAnyStatus, kAlways, pause_lane, starttls_not_offered},
    {kTls, k5yz, kAnyStatus, kAlways, pause_lane, starttls_not_offered},
    {kGreeting | kEhlo, k5yz, kAnyStatus, kSpeaksOfMachine, pause_lane, machine_refused},
    {kGreeting | kEhlo, k4yz, kAnyStatus, kAlways, pause_lane, smarthost_refuses},
    {kGreeting | kEhlo, k5yz, kAnyStatus, kAlways, pause_lane, smarthost_refuses},
    {kBefore, kAnyCode, kAnyStatus, kAlways, pause_lane, protocol_error},

    // Out of step: that says nothing about the mail. (500 to the content: a line too long.)
    {kTransaction, only(503), kAnyStatus, kAlways, abort_attempt, protocol_error},
    {kMail | kRcpt | kData, only(500), kAnyStatus, kAlways, abort_attempt, protocol_error},
    {kTransaction, only(502), kAnyStatus, kAlways, abort_attempt, protocol_error},

    // It demands TLS, and ours with it has failed: that may be over tomorrow.
    {kWhole, k5yz, status(7, 10, 11), kInClear, defer_message, tls_demanded},
    {kRcpt, k5yz, status(7, 10, 11), kInClear, defer_recipient, tls_demanded},
    {kWhole, k5yz, kAnyStatus, kInClear | kSpeaksOfTls, defer_message, tls_demanded},
    {kRcpt, k5yz, kAnyStatus, kInClear | kSpeaksOfTls, defer_recipient, tls_demanded},

    // About the mail's sender: its domain does not allow this machine, or does not exist.
    {kWhole, k5yz, status(7, 20, 24), kAlways, fail_message, sender_not_authenticated},
    {kWhole, k5yz, status(7, 26, 27), kAlways, fail_message, sender_not_authenticated},
    {kWhole, k5yz, status(7, 30), kAlways, fail_message, sender_not_authenticated},
    {kRcpt, k5yz, status(7, 20, 24), kAlways, fail_recipient, sender_not_authenticated},
    {kRcpt, k5yz, status(7, 26, 27), kAlways, fail_recipient, sender_not_authenticated},
    {kRcpt, k5yz, status(7, 30), kAlways, fail_recipient, sender_not_authenticated},
    {kWhole, k5yz, status(1, 8), kAlways, fail_message, sender_domain_unknown},
    {kRcpt, k5yz, status(1, 8), kAlways, fail_recipient, sender_domain_unknown},

    // About the message. A bare 552 to a recipient is an old word for "too many" (RFC 5321 4.5.3.1.10).
    {kWhole, k5yz, status(6, 7), kAlways, fail_message, smtputf8_needed},
    {kRcpt, k5yz, status(6, 7), kAlways, fail_recipient, smtputf8_needed},
    {kWhole, k5yz, status(3, 4), kAlways, fail_message, too_large},
    {kRcpt, k5yz, status(3, 4), kAlways, fail_recipient, too_large},
    {kWhole, k5yz, status(2, 3), kAlways, fail_message, too_large},
    {kMail | kMessage, only(552), kNoStatus, kAlways, fail_message, too_large},
    {kRcpt, only(552), kNoStatus, kAlways, defer_recipient, recipient_refused},

    // About this machine, said of one mail: the next one may be welcome.
    {kWhole, k5yz, kAnyStatus, kSpeaksOfMachine, fail_message, machine_refused},
    {kRcpt, k5yz, kAnyStatus, kSpeaksOfMachine, fail_recipient, machine_refused},
    {kWhole, k5yz, kAnyStatus, kAlways, fail_message, message_refused},
    {kRcpt, k5yz, kAnyStatus, kAlways, fail_recipient, recipient_refused},

    // Not now. 421 says that the connection ends (RFC 5321 3.8).
    {kTransaction, only(421), kAnyStatus, kAlways, abort_attempt, smarthost_refuses},
    {kWhole, k4yz, status(7, 26, 27), kAlways, defer_message, sender_not_authenticated},
    {kRcpt, k4yz, status(7, 26, 27), kAlways, defer_recipient, sender_not_authenticated},
    {kWhole, k4yz, status(1, 8), kAlways, defer_message, sender_domain_unknown},
    {kRcpt, k4yz, status(1, 8), kAlways, defer_recipient, sender_domain_unknown},
    {kWhole, k4yz, kAnyStatus, kSpeaksOfMachine, defer_message, machine_refused},
    {kRcpt, k4yz, kAnyStatus, kSpeaksOfMachine, defer_recipient, machine_refused},
    {kWhole, k4yz, kAnyStatus, kAlways, defer_message, message_refused},
    {kRcpt, k4yz, kAnyStatus, kAlways, defer_recipient, recipient_refused},

    // A reply to something else: 354 to MAIL, 250 to DATA.
    {kTransaction, kAnyCode, kAnyStatus, kAlways, abort_attempt, protocol_error},
};

}  // namespace

std::span<const Row> destination_rows() { return kDestinationRows; }

}  // namespace hikyaku::smtpc::rows
