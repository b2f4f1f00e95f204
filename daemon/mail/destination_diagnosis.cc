// SPDX-License-Identifier: MIT
// Direct delivery: the peer is the server of a domain that nobody here has configured, so the sender's address
// book is what may be wrong, or the other side, or how this machine looks from there.
#include "daemon/mail/diagnosis_words.h"

namespace hikyaku::mail {
namespace {

using enum FailureKind;
using Facts = const Failure&;

bool is_before_mail(Facts f) { return f.stage <= Stage::greeting; }
bool is_on_port_25(Facts f) { return f.port == 25; }
bool may_use_tls(Facts f) { return f.tls != TlsMode::none; }

constexpr std::string_view kAgain = "it is tried again by itself";
constexpr std::string_view kAllowSpf =
    "have the DNS of {domain} allow this machine (SPF), or sign with its DKIM key; or let the application "
    "send "
    "from a domain that does";

constexpr DiagnosisRow kDirectRows[] = {
    {lookup_failed, always, "the mail servers of {host} cannot be looked up now", kAgain},
    {no_such_name, always, "the mail server {host} has no address", kAgain},
    {no_such_domain, always, "the domain {host} does not exist", "correct the recipient's address"},
    {no_mail_server, always,
     "the domain {host} has no mail server: the DNS has neither MX nor address for it",
     "correct the recipient's address, or ask the recipient in another way"},
    {null_mx, always, "the domain {host} takes no mail: its DNS says so (null MX)",
     "ask the recipient for another address"},
    {mail_loops, always, "the best mail server of {host} is this machine itself, so mail would loop",
     "let a route take mail for {host} to the server that has its mailboxes, or have its MX corrected"},
    {ourselves, always, "{at}, which should take mail for others, is this daemon itself, so mail would loop",
     "let a route take this mail to the server that has the mailboxes, or have the MX corrected"},
    {machine_refused, always, "{at} takes no mail from this machine",
     "its reply says why: a block list names this machine's address (ask the list's operator), the address "
     "has no name in the DNS that leads back to it (ask its provider), or it belongs to a network that "
     "should send through a smarthost"},
    {refused, always, "nobody listens on {at}, or a firewall rejects it", kAgain},
    {connect_timed_out, is_on_port_25,
     "no answer from {at}: it is down, or this network blocks outbound port 25 (OP25B), as most access "
     "providers do",
     "it is tried again by itself; if no mail server answers, send through a smarthost on port 587 or 465"},
    {connect_timed_out, always, "no answer from {at}: it is down, or a firewall drops what goes there",
     kAgain},
    {greeting_timed_out, always, "{at} took the connection and then said nothing", kAgain},
    {closed_early, is_before_mail, "{at} hung up before it said anything",
     "it may refuse this machine's address; it is tried again by itself"},
    {closed_early, always, "{at} hung up without a reply ({stage})", kAgain},
    {protocol_error, is_before_mail, "{at} does not speak SMTP", kAgain},
    {starttls_not_offered, always,
     "{at} does not offer STARTTLS, which the configuration demands; nothing was sent in clear text", kAgain},
    {tls_demanded, may_use_tls, "{at} takes no mail without TLS, and TLS with it failed", kAgain},
    {sender_not_authenticated, is_temporary,
     "{at} does not take mail from <{sender}> now, because SPF, DKIM or DMARC of the domain {domain} do not "
     "allow that it comes from this machine",
     kAllowSpf},
    {sender_not_authenticated, always,
     "{at} refused mail from <{sender}>, because SPF, DKIM or DMARC of the domain {domain} do not allow that "
     "it comes from this machine",
     kAllowSpf},
    {smtputf8_needed, always, "{at} cannot take addresses with letters beyond ASCII (no SMTPUTF8)",
     "use an ASCII address"},
};

}  // namespace

const DiagnosisRow* destination_row(const Failure& failure) {
  for (const DiagnosisRow& row : kDirectRows)
    if (row.kind == failure.kind && row.when(failure)) return &row;
  return nullptr;
}

}  // namespace hikyaku::mail
