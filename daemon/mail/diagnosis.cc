// SPDX-License-Identifier: MIT
#include "daemon/mail/diagnosis.h"

#include <array>

#include "daemon/base/ip.h"
#include "daemon/base/text.h"

namespace hikyaku::mail {

namespace {

using enum FailureKind;
using Facts = const Failure&;

// What happened, and what to change. The first row with the failure's kind whose condition holds is used;
// {words} are filled in below.
struct Row {
  FailureKind kind;
  bool (*when)(Facts);
  std::string_view what;
  std::string_view change;
};

bool always(Facts) { return true; }
bool on_port_25(Facts f) { return f.port == 25; }
bool is_address(Facts f) { return IpAddress::parse(f.host).has_value(); }
bool is_plain_smtp(Facts f) { return f.detail.find("220") != f.detail.npos; }
bool has_tls_off(Facts f) { return f.tls == TlsMode::none; }
bool has_credentials(Facts f) { return f.has_credentials; }
bool has_limit(Facts f) { return f.max_size != 0; }
bool is_from_nobody(Facts f) { return f.sender.empty(); }
bool is_logged_in(Facts f) { return f.logged_in; }
bool is_temporary(Facts f) { return f.reply && f.reply->is_transient(); }
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
    {other, always, "{at} could not be used ({stage})", ""},
};

// ---- filling in

std::string shown(std::string_view text, std::string_view otherwise = "?") {
  return text.empty() ? std::string(otherwise) : printable(text, 320);
}

std::string place(Facts f) {
  const bool needs_brackets = f.host.find(':') != f.host.npos;
  std::string text = needs_brackets ? cat("[", shown(f.host), "]") : shown(f.host);
  text += cat(":", std::to_string(f.port));
  return f.address.empty() || f.address == text ? text : cat(text, " [", shown(f.address), "]");
}

std::string_view name_of(TlsMode mode) {
  static constexpr std::array<std::string_view, 4> kNames{"none", "opportunistic", "starttls", "implicit"};
  return kNames.at(static_cast<std::size_t>(mode));
}

std::string_view package_of(std::string_view mechanism) {
  const bool is_kerberos = mechanism.starts_with("GS");  // GSSAPI, GS2-KRB5, GSS-SPNEGO
  return is_kerberos ? "libsasl2-modules-gssapi-mit" : "libsasl2-modules";
}

// In the largest fitting unit with one decimal, which is easier to read than "47185920 bytes".
std::string readable(std::uint64_t bytes) {
  if (bytes < 1024) return cat(std::to_string(bytes), " bytes");
  const bool is_big = bytes >= 1 << 20;
  const std::uint64_t tenths = bytes * 10 / (is_big ? 1 << 20 : 1 << 10);
  return cat(std::to_string(tenths / 10), ".", std::to_string(tenths % 10), is_big ? " MiB" : " KiB");
}

std::string_view words_for(Stage stage) {
  static constexpr std::array<std::string_view, 10> kWords{"name look-up",
                                                           "connecting",
                                                           "greeting",
                                                           "TLS",
                                                           "EHLO",
                                                           "log-in",
                                                           "sender, MAIL",
                                                           "recipient, RCPT",
                                                           "before the message, DATA",
                                                           "the message"};
  return kWords.at(static_cast<std::size_t>(stage));
}

// Bounds the bytes of the names that are shown.
constexpr std::size_t kMostNames = 300;

bool is_plain_name(std::string_view name) {
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:*-_") ==
         name.npos;
}

// "a.example, *.b.example and 12 more"; text that does not look like a name is quoted.
std::string names_of(const CertificateFacts& certificate) {
  std::string text;
  std::size_t more = certificate.names.size() + certificate.more_names;
  for (const std::string& name : certificate.names) {
    std::string shown_name = is_plain_name(name) ? name : cat("\"", printable(name, 100), "\"");
    if (text.size() + shown_name.size() > kMostNames) break;
    text += cat(text.empty() ? "" : ", ", shown_name);
    --more;
  }
  return more == 0 ? text : cat(text, " and ", std::to_string(more), " more");
}

std::string date_of(const std::optional<WallTime>& time) {
  return time ? to_rfc3339(*time) : "a date that cannot be read";
}

// A command with which the operator can look at the certificate independently.
std::string openssl_command(Facts f) {
  const std::string name = shown(f.tls_name, shown(f.host));
  const bool is_v6 = f.host.find(':') != f.host.npos;
  const bool is_starttls = f.tls == TlsMode::starttls || f.tls == TlsMode::opportunistic;
  return cat("openssl s_client -connect ", is_v6 ? cat("[", shown(f.host), "]") : shown(f.host), ":",
             std::to_string(f.port), is_starttls ? " -starttls smtp" : "",
             IpAddress::parse(name) ? cat(" -noservername -verify_ip ", name)
                                    : cat(" -servername ", name, " -verify_hostname ", name),
             " -showcerts </dev/null");
}

std::optional<std::string> value_of(std::string_view word, const CertificateFacts& certificate) {
  if (word == "names") return names_of(certificate);
  if (word == "common") return cat("\"", printable(certificate.common_name, 100), "\"");
  if (word == "issuer") return cat("\"", printable(certificate.issuer, 200), "\"");
  if (word == "faulty") return cat("\"", printable(certificate.faulty, 200), "\"");
  if (word == "pin") return cat("`tls_fingerprint: \"", certificate.fingerprint, "\"`");
  if (word == "from") return date_of(certificate.not_before);
  if (word == "until") return date_of(certificate.not_after);
  return {};
}

// The value of a {word}; nullopt for braces that are part of the text.
std::optional<std::string> value_of(std::string_view word, Facts f) {
  if (word == "at") return place(f);
  if (word == "host") return shown(f.host);
  if (word == "port") return std::to_string(f.port);
  if (word == "name") return shown(f.tls_name, shown(f.host));
  if (word == "tls") return std::string(name_of(f.tls));
  if (word == "stage") return std::string(words_for(f.stage));
  if (word == "user") return shown(f.user, "this account");
  if (word == "origin") return shown(f.origin, "authinfo");
  if (word == "offered") return shown(join(f.offered, " "), "nothing");
  if (word == "mechanism") return shown(f.mechanism, "this mechanism");
  if (word == "package") return std::string(package_of(f.mechanism));
  if (word == "sender") return shown(f.sender, "");
  if (word == "domain") return shown(std::string_view(f.sender).substr(f.sender.rfind('@') + 1));
  if (word == "recipient") return shown(f.recipient);
  if (word == "size") return readable(f.size);
  if (word == "max") return readable(f.max_size);
  if (word == "reload") return "run `systemctl reload hikyaku` (or send SIGHUP)";
  if (word == "look") return cat("to look at it: `", openssl_command(f), "`");
  return f.certificate ? value_of(word, *f.certificate) : std::nullopt;
}

// One pass: values that were filled in are not expanded again.
std::string fill(std::string_view text, Facts f) {
  std::string filled;
  while (!text.empty()) {
    const auto open = text.find('{');
    filled += text.substr(0, open);
    if (open == text.npos) break;
    const auto close = text.find('}', open);
    const auto value = value_of(text.substr(open + 1, close - open - 1), f);
    filled += value ? *value : "{";
    text.remove_prefix(value ? close + 1 : open + 1);
  }
  return filled;
}

// Used for every kind of evidence: until other mails confirm a problem, the operator should not search for
// one.
constexpr Row kEvidence{
    other, always, "{at} refused this mail in a way that may concern all mail from here",
    "it is tried again; if it is refused so again while others are accepted, it is returned to its sender"};

const Row& row_for(Facts f) {
  if (f.is_evidence) return kEvidence;
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
  std::string text = fill(row.what, failure);
  if (failure.reply) text += cat(": ", to_text(*failure.reply));
  if (!row.change.empty()) text += cat(failure.reply ? "; " : ": ", fill(row.change, failure));
  if (is_doubtful) text += kProbablyOurs;
  if (!failure.detail.empty()) text += cat(" (", still_printable(failure.detail, 320), ")");
  return text;
}

}  // namespace hikyaku::mail
