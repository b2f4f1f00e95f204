// SPDX-License-Identifier: MIT
// Why mail did not get on: the exact reply or the environment's error, the stage, whom it concerns, and the
// facts that diagnose() turns into plain words. A plain value that the lane, the queue, the log and the
// bounces pass on. It must never hold a secret: a password has no field here.
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

// Where in the dialogue. `ehlo` is EHLO and HELO, `tls` STARTTLS and the handshake, `data` the reply to DATA,
// `message` the content and the reply to it.
enum class Stage : std::uint8_t { lookup, connect, greeting, tls, ehlo, auth, mail, rcpt, data, message };
enum class Concerns : std::uint8_t { smarthost, message, recipient };

enum class FailureKind : std::uint8_t {
  // the way there
  lookup_failed,
  no_such_name,
  refused,
  connect_timed_out,
  unreachable,
  greeting_timed_out,
  tls_from_first_byte,  // the greeting did not come, and the side probe was answered in TLS
  closed_early,         // hang-up or reset where a reply was due
  timed_out,            // any later reply
  protocol_error,       // nonsense instead of a reply, or out of step
  smarthost_refuses,    // a reply that is no to all of us: 421, 554 as greeting, 5.3.2
  account_quota,        // 5.4.5
  ourselves,            // connected to one of our own listeners
  // TLS
  starttls_not_offered,  // required (`starttls`, or `opportunistic` with credentials), and not there or
                         // refused
  plain_on_implicit,     // the port answered in plain SMTP to a TLS hello
  tls_demanded,          // the smarthost wants TLS, the configuration has it off
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
  // logging in
  auth_only_after_tls,  // AUTH not offered on a clear connection, STARTTLS is
  auth_not_offered,     // credentials, but no AUTH at all
  no_usable_mechanism,  // what it offers and what we may or can use have nothing in common
  missing_plugin,       // nothing in common only because a SASL plug-in is not installed
  plaintext_auth_not_allowed,
  auth_rejected,         // wrong user name or password
  auth_temporary,        // 454, 432 and the like
  auth_protocol_error,   // a challenge that is none, or too many
  credentials_demanded,  // 530 and the like, and we have no entry
  basic_auth_disabled,   // Exchange Online's 5.7.30
  app_password_needed,   // 534 5.7.9
  auth_blocked,          // 5.7.14: log in with a browser first
  relaying_refused,      // not logged in, and it takes no mail from us
  // the mail
  sender_not_owned,          // or otherwise refused as a sender
  sender_not_authenticated,  // SPF, DKIM or DMARC of the sender's domain say no: 5.7.20 to 5.7.27,
                             // Gmail's 5.7.30
  sender_domain_unknown,     // 5.1.8: it is in no name service
  message_refused,
  recipient_refused,
  too_large,
  smtputf8_needed,
  reply_lost,      // the connection broke between the final dot and its reply: perhaps delivered
  source_damaged,  // our own stored copy
  other,
};

struct Failure {
  FailureKind kind = FailureKind::other;
  Stage stage = Stage::connect;
  Concerns concerns = Concerns::smarthost;
  std::optional<Reply> reply;     // the exact one, if there was one
  std::optional<IoErrorKind> io;  // the environment's error, if it was one
  std::string detail;             // its text, or what was seen (first bytes); peer's bytes in it are escaped
  CertificateFactsPtr certificate{};  // the one that was refused; or null
  // As configured:
  std::string smarthost;  // its name
  std::string host;
  std::uint16_t port = 0;
  TlsMode tls = TlsMode::implicit;
  std::string tls_name;  // the name that was to be verified
  bool has_credentials = false;
  std::string user;    // of the credentials
  std::string origin;  // where they stand: "/etc/hikyaku/authinfo:3"
  // As found:
  std::string address;  // the one tried, "192.0.2.1:587", or empty
  bool encrypted = false;
  bool logged_in = false;
  // It never accepted a message with this configuration, which probably is why it refuses this one.
  bool unproven = false;
  // It may concern this mail alone or all of ours; what becomes of other mails will tell.
  bool is_evidence = false;
  std::vector<std::string> offered;  // mechanisms
  std::string mechanism;             // the one tried, or the one whose plug-in is missing
  std::string sender;                // envelope sender as sent
  std::string recipient;             // if it concerns one
  std::uint64_t size = 0;            // too_large: of the message …
  std::uint64_t max_size = 0;        // … and the limit told by SIZE; 0: not told
};

// A failure with the facts of the configuration filled in.
Failure make_failure(const Smarthost& smarthost, Stage stage, FailureKind kind);
// The same for an error of the environment.
Failure make_failure(const Smarthost& smarthost, Stage stage, const IoError& error);

// What an error of the environment means at a stage: a time-out while connecting is another thing than one
// later.
FailureKind failure_kind(IoErrorKind kind, Stage stage);

// Stable names for logs and JSON: "tls_expired", "rcpt", "smarthost".
std::string_view to_text(FailureKind kind);
std::string_view to_text(Stage stage);
std::string_view to_text(Concerns concerns);

// The status of RFC 3463 that tells a sender the same: the reply's own, or one derived from kind and code.
// `permanent` is what was decided, which need not be what the reply said.
EnhancedStatus status_of(const Failure& failure, bool permanent);

}  // namespace hikyaku::mail
