// SPDX-License-Identifier: MIT
// Why mail was not delivered: the exact reply or the system's error, the stage, what it concerns, and the
// facts that diagnose() turns into plain words. A plain value that lane, queue, log and bounces pass on. It
// must never contain a secret: there is no field for a password.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/io_error.h"
#include "daemon/mail/smarthost.h"
#include "daemon/mail/smtp_reply.h"

namespace hikyaku::mail {

// The stage of the dialogue. `ehlo` is EHLO and HELO, `tls` STARTTLS and the handshake, `data` the reply to
// DATA, `message` the content and the reply to it.
enum class Stage : std::uint8_t { lookup, connect, greeting, tls, ehlo, auth, mail, rcpt, data, message };
enum class Concerns : std::uint8_t { smarthost, message, recipient };

enum class FailureKind : std::uint8_t {
  // connection
  lookup_failed,
  no_such_name,
  refused,
  connect_timed_out,
  unreachable,
  greeting_timed_out,
  tls_from_first_byte,  // no greeting, and a separate TLS probe was answered
  closed_early,         // closed or reset where a reply was due
  timed_out,            // any later reply
  protocol_error,       // an invalid or unexpected reply
  smarthost_refuses,    // a reply that refuses all our mail: 421, 554 as greeting, 5.3.2
  account_quota,        // 5.4.5
  ourselves,            // connected to one of our own listeners
  // a domain's own servers
  no_such_domain,   // NXDOMAIN, or no domain name at all
  no_mail_server,   // neither MX nor address, or servers without an address
  null_mx,          // the domain takes no mail (RFC 7505)
  mail_loops,       // its best servers are ourselves
  machine_refused,  // it takes no mail from this machine: its address, its name
  dns_unreachable,  // no look-up of any domain succeeds
  port_blocked,     // nobody's port answers: the network keeps it closed
  // TLS
  starttls_not_offered,  // required (`starttls`, or `opportunistic` with credentials), but not offered
                         // or refused
  plain_on_implicit,     // the port answered in plain SMTP to a TLS hello
  tls_demanded,          // the smarthost demands TLS, but the configuration disables it
  injected_after_starttls,
  tls_expired,
  tls_not_yet_valid,
  tls_self_signed,
  tls_unknown_issuer,
  tls_wrong_name,
  tls_pin_mismatch,
  tls_old_protocol,
  tls_weak_key,
  tls_weak_signature,
  tls_legacy_renegotiation,
  tls_failed,
  tls_setup,  // our own files
  // log-in
  auth_only_after_tls,  // without TLS only STARTTLS is offered, not AUTH
  auth_not_offered,     // there are credentials, but AUTH is not offered
  no_usable_mechanism,  // no offered mechanism is allowed and supported
  missing_plugin,       // the same, but only because a SASL plug-in is not installed
  plaintext_auth_not_allowed,
  auth_rejected,         // wrong user name or password
  auth_temporary,        // 454, 432 and the like
  auth_protocol_error,   // an invalid challenge, or too many
  credentials_demanded,  // 530 and similar, but there is no entry in authinfo
  basic_auth_disabled,   // Exchange Online's 5.7.30
  app_password_needed,   // 534 5.7.9
  auth_blocked,          // 5.7.14: log in with a browser first
  // log-in with OAuth2
  oauth_consent_needed,  // nobody has consented, or the consent no longer holds
  oauth_client_refused,  // our client id, secret or certificate is refused
  oauth_unreachable,     // the token endpoint does not answer, and no valid token is left
  oauth_setup,           // our own files or program yield no token
  oauth_scope,           // the smarthost wants another scope than was granted
  oauth_token_refused,   // the smarthost refuses a fresh token
  relaying_refused,      // not logged in, and the smarthost accepts no mail from us
  // the mail itself
  sender_not_owned,          // the sender address was refused
  sender_not_authenticated,  // refused for SPF, DKIM or DMARC of the sender's domain: 5.7.20 to 5.7.27,
                             // Gmail's 5.7.30
  sender_domain_unknown,     // 5.1.8: the domain does not exist
  message_refused,
  recipient_refused,
  too_large,
  smtputf8_needed,
  reply_lost,            // the connection broke between the final dot and its reply: perhaps delivered
  source_damaged,        // the copy in our spool
  returned_by_operator,  // `detail`: who
  other,
};

struct Failure {
  FailureKind kind = FailureKind::other;
  Stage stage = Stage::connect;
  Concerns concerns = Concerns::smarthost;
  std::optional<Reply> reply;         // the exact one, if there was one
  std::optional<IoErrorKind> io;      // the system's error, if it was one
  std::string detail;                 // the error's text, or the first bytes received, escaped
  CertificateFactsPtr certificate{};  // the refused certificate; or null
  // As configured:
  std::string smarthost;  // its name
  std::string host;
  std::uint16_t port = 0;
  TlsMode tls = TlsMode::implicit;
  std::string tls_name;  // the name to be verified
  bool is_direct =
      false;  // the peer is a server of the recipients' domain: `host` is its name, or the domain
  bool has_credentials = false;
  std::string user;    // of the credentials
  std::string origin;  // where they are: "/etc/hikyaku/authinfo:3"
  // As found:
  std::string address;  // the address tried, "192.0.2.1:587", or empty
  bool encrypted = false;
  bool logged_in = false;
  // The smarthost never accepted a message with this configuration, so the configuration is probably wrong.
  bool unproven = false;
  // May concern only this mail or all mail; the outcome of other mails will show.
  bool is_evidence = false;
  std::vector<std::string> offered;  // mechanisms
  std::string mechanism;             // the mechanism tried, or the one whose plug-in is missing
  std::string sender;                // envelope sender as sent
  std::string recipient;             // if the failure concerns one
  std::uint64_t size = 0;            // too_large: of the message …
  std::uint64_t max_size = 0;        // … and the limit announced by SIZE; 0: none
  OAuthFactsPtr oauth{};             // of a smarthost with `oauth`; or null
};

// A failure with the facts of the configuration filled in.
Failure make_failure(const Smarthost& smarthost, Stage stage, FailureKind kind);
// The same for a system error.
Failure make_failure(const Smarthost& smarthost, Stage stage, const IoError& error);

// The kind of failure for a system error at a stage: a time-out while connecting differs from a later one.
FailureKind failure_kind(IoErrorKind kind, Stage stage);

// Stable names for logs and JSON: "tls_expired", "rcpt", "smarthost".
std::string_view to_text(FailureKind kind);
std::string_view to_text(Stage stage);
std::string_view to_text(Concerns concerns);

// The enhanced status (RFC 3463) for a notice: the reply's own, or one derived from kind and code.
// `permanent` is our decision, which may differ from the reply's.
EnhancedStatus status_of(const Failure& failure, bool permanent);

}  // namespace hikyaku::mail
