// SPDX-License-Identifier: MIT
#include "daemon/mail/diagnosis.h"

#include "daemon/base/ip.h"
#include "daemon/base/text.h"
#include "daemon/mail/diagnosis_words.h"

namespace hikyaku::mail {

namespace {

using enum FailureKind;
using Facts = const Failure&;

// The first row with the failure's kind whose condition holds is used; {words} are filled in later.
using Row = DiagnosisRow;

bool on_port_25(Facts f) { return f.port == 25; }
bool is_address(Facts f) { return IpAddress::parse(f.host).has_value(); }
bool is_plain_smtp(Facts f) { return f.detail.find("220") != f.detail.npos; }
bool has_tls_off(Facts f) { return f.tls == TlsMode::none; }
bool has_credentials(Facts f) { return f.has_credentials; }
bool has_limit(Facts f) { return f.max_size != 0; }
bool is_from_nobody(Facts f) { return f.sender.empty(); }
bool is_logged_in(Facts f) { return f.logged_in; }
bool is_at_start(Facts f) { return f.stage <= Stage::greeting; }
bool is_shaking_hands(Facts f) { return f.stage == Stage::tls; }
bool has_certificate(Facts f) { return f.certificate != nullptr; }
bool has_names(Facts f) { return has_certificate(f) && !f.certificate->names.empty(); }
bool is_of_chain(Facts f) { return has_certificate(f) && !f.certificate->faulty.empty(); }

constexpr Row kRows[] = {
    {lookup_failed, always, "the name {host} could not be looked up",
     "check this machine's name service (/etc/resolv.conf)"},
    {no_such_name, always, "the name {host} does not exist or has no address",
     "check the spelling of the smarthost's `host`"},
    {refused, always, "nobody listens on {at}, or a firewall rejects it",
     "check `host` and `port` (usual ones: 465 for `tls: implicit`, 587 for `tls: starttls`)"},
    {connect_timed_out, on_port_25,
     "no answer from {at}: your network probably blocks outbound port 25 (OP25B), as most access "
     "providers do",
     "use port 587 (`tls: starttls`) or 465 (`tls: implicit`) of your mail provider"},
    {connect_timed_out, always, "no answer from {at}: it is down, or a firewall drops what goes there",
     "check `host` and `port`, and whether this network lets port {port} out"},
    {unreachable, always, "this machine has no route to {at}", "check its network and routes"},
    {greeting_timed_out, always, "{at} took the connection and then said nothing",
     "if it expects TLS from the first byte set `tls: implicit`; else it is overloaded or no mail server"},
    {tls_from_first_byte, always,
     "{at} expects TLS from the first byte, but the configuration says `tls: {tls}`",
     "set `tls: implicit` for it (or use port 587)"},
    {closed_early, is_at_start, "{at} hung up before it said anything",
     "it may refuse this machine's address, or expect TLS from the first byte (`tls: implicit`)"},
    {closed_early, is_shaking_hands, "{at} hung up while TLS was being set up",
     "check that `tls: {tls}` is right for this port, and `tls_min_version`"},
    {closed_early, always, "{at} hung up without a reply ({stage})", ""},
    {timed_out, always, "{at} did not answer in time ({stage})", ""},
    {protocol_error, is_at_start, "{at} does not speak SMTP", "check `host`, `port` and `tls`"},
    {protocol_error, always, "{at} sent an invalid reply ({stage})", ""},
    {smarthost_refuses, always, "{at} takes no mail from here now ({stage})", "it is tried again by itself"},
    {account_quota, always, "{at} says that the account has sent as much as it may",
     "wait, or have its operator raise the limit"},
    {ourselves, always, "{at} is this daemon itself, so mail would loop",
     "set the smarthost's `host` and `port` to your mail provider's"},
    {mail_loops, always, "the best mail server of {host} is this machine itself, so mail would loop",
     "set the smarthost's `host` to your mail provider's, or `hostname` to this machine's own name"},
    {no_such_domain, always, "the domain {host} does not exist in the DNS",
     "check the spelling of the smarthost's `host`"},
    {no_mail_server, always, "the domain {host} has no mail server in the DNS, neither MX nor address",
     "check the smarthost's `host`"},
    {null_mx, always, "the DNS says that the domain {host} takes no mail (null MX)",
     "set the smarthost's `host` to your provider's server, with `lookup: host`"},
    {machine_refused, always, "{at} takes no mail from this machine", ""},
    {dns_unreachable, always, "no look-up in the DNS succeeds",
     "check this machine's network and its DNS servers (/etc/resolv.conf, or `dns` in hikyaku.yaml); the "
     "mail waits"},
    {port_blocked, always,
     "no mail server anywhere answers on port {port}: your network probably blocks it (OP25B), as most "
     "access providers do",
     "send through a smarthost, with port 587 or 465 of your mail provider, or have the port opened; the "
     "mail waits"},

    {starttls_not_offered, always,
     "{at} does not offer STARTTLS, which the configuration demands; nothing was sent in clear text",
     "if it expects TLS from the first byte set `tls: implicit` (port 465); otherwise somebody on the way "
     "may be removing the offer"},
    {plain_on_implicit, is_plain_smtp, "{at} answered in plain SMTP, but the configuration says implicit TLS",
     "set `tls: starttls` for it (or use port 465)"},
    {plain_on_implicit, always,
     "{at} answered in something other than TLS, but the configuration says implicit TLS",
     "check `host` and `port`; for a port with STARTTLS, usually 587, set `tls: starttls`"},
    {tls_demanded, has_tls_off, "{at} takes no mail without TLS, but the configuration says `tls: none`",
     "set `tls: starttls` for it"},
    {tls_demanded, always, "{at} takes no mail without TLS", "set `tls: starttls` for it"},
    {injected_after_starttls, always,
     "{at} sent bytes in clear text behind its reply to STARTTLS: it is faulty, or somebody on the way "
     "is tampering",
     "use `tls: implicit` (port 465) if it offers that"},
    {tls_expired, is_of_chain,
     "a certificate in the chain of {at}, that of {faulty}, has expired: it was valid until {until}",
     "the operator of {host} has to renew it (or check this machine's clock); to trust just this server's "
     "certificate, set {pin}; {look}"},
    {tls_expired, has_certificate, "the certificate of {at} has expired: it was valid until {until}",
     "its operator has to renew it (or check this machine's clock); to trust just this one, set {pin}; "
     "{look}"},
    {tls_expired, always, "the certificate of {at} has expired",
     "its operator has to renew it (or check this machine's clock); to trust just this one, pin it with "
     "`tls_fingerprint`"},
    {tls_not_yet_valid, has_certificate, "the certificate of {at} is not valid before {from}",
     "check this machine's clock; {look}"},
    {tls_not_yet_valid, always, "the certificate of {at} is not valid yet", "check this machine's clock"},
    {tls_self_signed, has_certificate, "the certificate of {at} is self-signed, nobody vouches for it",
     "if it is the right one (its operator can tell), set {pin}, or name its file in `tls_ca_file`; {look}"},
    {tls_self_signed, always, "the certificate of {at} is self-signed, nobody vouches for it",
     "if it is the right one, pin it with `tls_fingerprint`, or name its file in `tls_ca_file`"},
    {tls_unknown_issuer, has_certificate,
     "the certificate of {at} comes from an issuer that this machine does not know: {issuer}",
     "install the package ca-certificates, or name the issuer's file in `tls_ca_file`; to trust just this "
     "certificate, set {pin}; {look}"},
    {tls_unknown_issuer, always,
     "the certificate of {at} comes from an issuer that this machine does not know",
     "install the package ca-certificates, or name the issuer's file in `tls_ca_file`"},
    {tls_wrong_name, has_names, "the certificate of {at} is for another name than {name}: it is for {names}",
     "if that is the right server, set `tls_hostname` to one of these names; {look}"},
    {tls_wrong_name, has_certificate,
     "the certificate of {at} names no host that it is for (its common name {common} does not count)",
     "its operator has to replace it; to trust just this one, set {pin}; {look}"},
    {tls_wrong_name, is_address, "the certificate of {at} is not for {name}",
     "set `host`, or `tls_hostname`, to the name that the certificate is for"},
    {tls_wrong_name, always, "the certificate of {at} is for another name than {name}",
     "set `tls_hostname` to a name that it is for, if that is the right server"},
    {tls_pin_mismatch, has_certificate, "the certificate of {at} is not the one that `tls_fingerprint` pins",
     "if it was renewed (its operator can tell), set {pin}; if not, this may be another server; {look}"},
    {tls_pin_mismatch, always, "the certificate of {at} is not the one that `tls_fingerprint` pins",
     "if it was renewed, put the new one's fingerprint there; if not, this may be another server"},
    {tls_old_protocol, always,
     "{at} and this machine have no TLS version in common, probably because it is old",
     "its operator has to update it; meanwhile `tls_min_version: \"1.0\"` lets older, weaker versions pass"},
    {tls_weak_key, always, "the key that {at} offers is too short to be safe",
     "its operator has to replace it; meanwhile `tls_min_version: \"1.0\"` lets it pass"},
    {tls_weak_signature, always, "the certificate of {at} is signed in a way that is no longer safe",
     "its operator has to replace it; meanwhile `tls_min_version: \"1.0\"` lets it pass"},
    {tls_legacy_renegotiation, always, "{at} is too old for secure TLS renegotiation",
     "its operator has to update it; until then only another smarthost or port helps"},
    {tls_failed, always, "TLS with {at} failed", "check that `tls: {tls}` is right for this port"},
    {tls_setup, always, "the configured TLS files for {at} cannot be used",
     "check `tls_ca_file` and `tls_client_cert`"},

    {auth_only_after_tls, always,
     "{at} offers to log in only after TLS, but the configuration says `tls: {tls}`",
     "set `tls: starttls` for it"},
    {auth_not_offered, always, "{at} offers no way to log in, but {origin} has credentials for it",
     "use its submission port (465 with `tls: implicit`, 587 with `tls: starttls`), or set `auth: none`"},
    {no_usable_mechanism, always,
     "none of the ways to log in that {at} offers can be used (it offers {offered})",
     "check `auth` and the mechanisms in {origin}"},
    {missing_plugin, always,
     "{at} offers to log in with {offered}, but the SASL plug-in for {mechanism} is not installed",
     "install the package {package} and reload"},
    {plaintext_auth_not_allowed, always,
     "{at} offers only {offered} to log in, which would show the password to the network",
     "set `tls: starttls` for it (or, if you trust the whole way there, `allow_plaintext_auth: true`)"},
    {auth_rejected, always, "{at} refused the user name or password of {user} ({origin})",
     "correct it and {reload}; the mail waits"},
    {auth_temporary, always, "{at} cannot log us in at the moment", "it is tried again by itself"},
    {auth_protocol_error, always, "{at} sent an invalid answer to the log-in with {mechanism}",
     "leave that mechanism out: list others in `auth`"},
    {credentials_demanded, has_credentials, "{at} demands a log-in, but `auth: none` forbids it",
     "remove that line and {reload}; the mail waits"},
    {credentials_demanded, always, "{at} demands a log-in, and there are no credentials for it",
     "add a line for {host} to /etc/hikyaku/authinfo (`machine {host} login USER password PASSWORD`) and "
     "{reload}; the mail waits"},
    {basic_auth_disabled, always, "{at} takes no passwords (any more) for {user}",
     "have its administrator allow SMTP AUTH for this account, or use another smarthost"},
    {app_password_needed, always, "{at} does not take the usual password of {user}, but an app password",
     "create one in the account's security settings, put it into {origin} and {reload}; the mail waits"},
    {auth_blocked, always, "{at} has blocked the log-in of {user}",
     "log in there with a web browser and confirm that it was you"},
    {relaying_refused, is_logged_in, "{at} does not relay for {user}", "ask its operator to allow it"},
    {relaying_refused, has_credentials,
     "{at} takes no mail from a stranger, and `auth: none` forbids to log in",
     "remove that line and {reload}; the mail waits"},
    {relaying_refused, always, "{at} takes no mail from a stranger, and there are no credentials for it",
     "add a line for {host} to /etc/hikyaku/authinfo (`machine {host} login USER password PASSWORD`) and "
     "{reload}, or have its operator allow this machine's address; the mail waits"},

    {sender_not_owned, is_from_nobody, "{at} does not take mail from the null sender <>",
     "set `rewrite.null_sender` for it to an address that it accepts, and {reload}"},
    {sender_not_owned, has_credentials, "{at} does not take mail from <{sender}> when {user} is logged in",
     "set `from` for it to the account's own address, or put the credentials of the account that owns "
     "<{sender}> into {origin}, and {reload}"},
    {sender_not_owned, always, "{at} does not take mail from <{sender}>",
     "set `from` for it to an address that it accepts, or add credentials of the account that owns "
     "<{sender}> to /etc/hikyaku/authinfo, and {reload}"},
    {sender_not_authenticated, is_temporary,
     "{at} does not take mail from <{sender}> now, because SPF, DKIM or DMARC of the domain {domain} do not "
     "allow that it comes this way",
     "let the application send from a domain of your account, or have the DNS of {domain} name this provider "
     "(SPF) and sign with its DKIM key"},
    {sender_not_authenticated, always,
     "{at} refused mail from <{sender}>, because SPF, DKIM or DMARC of the domain {domain} do not allow that "
     "it comes this way",
     "let the application send from a domain of your account, or have the DNS of {domain} name this provider "
     "(SPF) and sign with its DKIM key"},
    {sender_domain_unknown, always,
     "{at} does not take mail from <{sender}>, because the domain {domain} does not exist",
     "if this machine put it there, set `domain` (and `hostname`) to one that exists and {reload}; if an "
     "application did, correct the sender there"},
    {message_refused, is_temporary, "{at} does not take this message now", ""},
    {message_refused, always, "{at} refused the message", ""},
    {recipient_refused, is_temporary, "{at} does not take mail for <{recipient}> now", ""},
    {recipient_refused, always, "{at} refused the recipient <{recipient}>", ""},
    {too_large, has_limit, "the message has {size}, {at} takes at most {max}", "send it smaller or in parts"},
    {too_large, always, "the message is larger than {at} accepts", "send it smaller or in parts"},
    {smtputf8_needed, always, "{at} cannot take addresses with letters beyond ASCII (no SMTPUTF8)",
     "use an ASCII address, or another smarthost for this mail"},
    {reply_lost, always,
     "the connection to {at} broke after the message and before its reply: it may have arrived, and may come "
     "twice",
     ""},
    {source_damaged, always, "the stored copy of this mail is damaged and was not sent",
     "check this machine's disk; what is left is in the spool's corrupt/"},
    {returned_by_operator, always, "the administrator of this mail relay has returned the message unsent",
     ""},
    {other, always, "{at} could not be used ({stage})", ""},
};

// Used for every kind of evidence: until other mails confirm a problem, the operator should not search for
// one.
constexpr Row kEvidence{
    other, always, "{at} refused this mail in a way that may concern all mail from here",
    "it is tried again; if it is refused so again while others are accepted, it is returned to its sender"};

const Row& row_for(Facts f) {
  if (f.is_evidence) return kEvidence;
  if (const Row* row = f.is_direct ? destination_row(f) : nullptr) return *row;
  if (const Row* row = oauth_row(f)) return *row;
  for (const Row& row : kRows)
    if (row.kind == f.kind && row.when(f)) return row;
  return kRows[std::size(kRows) - 1];
}

constexpr std::string_view kProbablyOurs =
    "; no message has gone this way with this configuration yet, so it is probably a mistake in the "
    "configuration";

}  // namespace

// The reply comes in the middle, where it is read; the system's own error text at the end, in parentheses.
std::string diagnose(const Failure& failure) {
  const Row& row = row_for(failure);
  const bool is_doubtful = failure.unproven && failure.concerns != Concerns::smarthost && failure.reply &&
                           failure.reply->is_permanent();
  std::string text = fill_in(row.what, failure);
  if (failure.reply) text += cat(": ", to_text(*failure.reply));
  if (!row.change.empty()) text += cat(failure.reply ? "; " : ": ", fill_in(row.change, failure));
  if (is_doubtful) text += kProbablyOurs;
  if (!failure.detail.empty()) text += cat(" (", still_printable(failure.detail, 320), ")");
  return text;
}

}  // namespace hikyaku::mail
