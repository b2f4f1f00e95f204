// SPDX-License-Identifier: MIT
#include "daemon/mail/failure.h"

#include <array>
#include <cstddef>

#include "daemon/base/error.h"

namespace hikyaku::mail {

namespace {

using enum FailureKind;

// In the order of the enumeration, with subject and detail of RFC 3463 for failures without a status of their
// own.
struct KindRow {
  FailureKind kind;
  std::string_view name;
  std::uint16_t subject;
  std::uint16_t detail;
};

constexpr auto kKinds = std::to_array<KindRow>({
    {lookup_failed, "lookup_failed", 4, 3},
    {no_such_name, "no_such_name", 4, 4},
    {refused, "refused", 4, 1},
    {connect_timed_out, "connect_timed_out", 4, 1},
    {unreachable, "unreachable", 4, 1},
    {greeting_timed_out, "greeting_timed_out", 4, 2},
    {tls_from_first_byte, "tls_from_first_byte", 4, 2},
    {closed_early, "closed_early", 4, 2},
    {timed_out, "timed_out", 4, 2},
    {protocol_error, "protocol_error", 5, 0},
    {smarthost_refuses, "smarthost_refuses", 3, 2},
    {account_quota, "account_quota", 4, 5},
    {ourselves, "ourselves", 4, 6},
    {no_such_domain, "no_such_domain", 1, 2},
    {no_mail_server, "no_mail_server", 4, 4},
    {null_mx, "null_mx", 1, 10},
    {mail_loops, "mail_loops", 4, 6},
    {machine_refused, "machine_refused", 7, 1},
    {dns_unreachable, "dns_unreachable", 4, 3},
    {port_blocked, "port_blocked", 4, 1},
    {starttls_not_offered, "starttls_not_offered", 7, 4},
    {plain_on_implicit, "plain_on_implicit", 7, 5},
    {tls_demanded, "tls_demanded", 7, 0},
    {injected_after_starttls, "injected_after_starttls", 7, 5},
    {tls_expired, "tls_expired", 7, 5},
    {tls_not_yet_valid, "tls_not_yet_valid", 7, 5},
    {tls_self_signed, "tls_self_signed", 7, 5},
    {tls_unknown_issuer, "tls_unknown_issuer", 7, 5},
    {tls_wrong_name, "tls_wrong_name", 7, 5},
    {tls_pin_mismatch, "tls_pin_mismatch", 7, 5},
    {tls_old_protocol, "tls_old_protocol", 7, 5},
    {tls_weak_key, "tls_weak_key", 7, 5},
    {tls_weak_signature, "tls_weak_signature", 7, 5},
    {tls_legacy_renegotiation, "tls_legacy_renegotiation", 7, 5},
    {tls_failed, "tls_failed", 7, 5},
    {tls_setup, "tls_setup", 3, 5},
    {auth_only_after_tls, "auth_only_after_tls", 7, 0},
    {auth_not_offered, "auth_not_offered", 7, 4},
    {no_usable_mechanism, "no_usable_mechanism", 7, 4},
    {missing_plugin, "missing_plugin", 3, 5},
    {plaintext_auth_not_allowed, "plaintext_auth_not_allowed", 7, 0},
    {auth_rejected, "auth_rejected", 7, 8},
    {auth_temporary, "auth_temporary", 7, 0},
    {auth_protocol_error, "auth_protocol_error", 7, 0},
    {credentials_demanded, "credentials_demanded", 7, 0},
    {basic_auth_disabled, "basic_auth_disabled", 7, 30},
    {app_password_needed, "app_password_needed", 7, 9},
    {auth_blocked, "auth_blocked", 7, 14},
    {oauth_consent_needed, "oauth_consent_needed", 7, 8},
    {oauth_client_refused, "oauth_client_refused", 7, 8},
    {oauth_unreachable, "oauth_unreachable", 7, 0},
    {oauth_setup, "oauth_setup", 3, 5},
    {oauth_scope, "oauth_scope", 7, 8},
    {oauth_token_refused, "oauth_token_refused", 7, 8},
    {relaying_refused, "relaying_refused", 7, 1},
    {sender_not_owned, "sender_not_owned", 1, 8},
    {sender_not_authenticated, "sender_not_authenticated", 7, 26},
    {sender_domain_unknown, "sender_domain_unknown", 1, 8},
    {message_refused, "message_refused", 0, 0},
    {recipient_refused, "recipient_refused", 0, 0},
    {too_large, "too_large", 3, 4},
    {smtputf8_needed, "smtputf8_needed", 6, 7},
    {reply_lost, "reply_lost", 4, 2},
    {source_damaged, "source_damaged", 3, 0},
    {returned_by_operator, "returned_by_operator", 0, 0},
    {other, "other", 0, 0},
});

consteval bool is_in_order() {
  for (std::size_t i = 0; i < kKinds.size(); ++i)
    if (static_cast<std::size_t>(kKinds[i].kind) != i) return false;
  return kKinds.size() == static_cast<std::size_t>(other) + 1;
}
static_assert(is_in_order());

const KindRow& row_of(FailureKind kind) {
  const auto place = static_cast<std::size_t>(kind);
  check(place < kKinds.size(), "an unknown FailureKind");
  return kKinds[place];
}

FailureKind timeout_at(Stage stage) {
  switch (stage) {
    case Stage::lookup: return lookup_failed;
    case Stage::connect: return connect_timed_out;
    case Stage::greeting: return greeting_timed_out;
    default: return timed_out;
  }
}

}  // namespace

FailureKind failure_kind(IoErrorKind kind, Stage stage) {
  switch (kind) {
    case IoErrorKind::eof:
    case IoErrorKind::reset: return closed_early;
    case IoErrorKind::timeout: return timeout_at(stage);
    case IoErrorKind::too_long: return protocol_error;
    case IoErrorKind::refused: return refused;
    case IoErrorKind::unreachable: return unreachable;
    case IoErrorKind::no_such_name: return no_such_name;
    case IoErrorKind::lookup_failed: return lookup_failed;
    case IoErrorKind::not_tls: return plain_on_implicit;
    case IoErrorKind::tls_expired: return tls_expired;
    case IoErrorKind::tls_not_yet_valid: return tls_not_yet_valid;
    case IoErrorKind::tls_self_signed: return tls_self_signed;
    case IoErrorKind::tls_unknown_issuer: return tls_unknown_issuer;
    case IoErrorKind::tls_wrong_name: return tls_wrong_name;
    case IoErrorKind::tls_pin_mismatch: return tls_pin_mismatch;
    case IoErrorKind::tls_old_protocol: return tls_old_protocol;
    case IoErrorKind::tls_weak_key: return tls_weak_key;
    case IoErrorKind::tls_weak_signature: return tls_weak_signature;
    case IoErrorKind::tls_legacy_renegotiation: return tls_legacy_renegotiation;
    case IoErrorKind::tls_failed: return tls_failed;
    case IoErrorKind::tls_setup: return tls_setup;
    case IoErrorKind::cancelled:
    case IoErrorKind::address_in_use:
    case IoErrorKind::access_denied:
    case IoErrorKind::system: return other;
  }
  return other;
}

Failure make_failure(const Smarthost& smarthost, Stage stage, FailureKind kind) {
  Failure failure;
  failure.kind = kind;
  failure.stage = stage;
  failure.smarthost = smarthost.name;
  failure.host = smarthost.host;
  failure.port = smarthost.port;
  failure.tls = smarthost.tls.mode;
  failure.tls_name = smarthost.tls.hostname.empty() ? smarthost.host : smarthost.tls.hostname;
  failure.is_direct = smarthost.direct;
  failure.has_credentials = smarthost.credentials.has_value();
  if (failure.has_credentials) {
    failure.user = smarthost.credentials->user;
    failure.origin = smarthost.credentials->origin;
  }
  if (smarthost.oauth) {
    failure.has_credentials = true;
    failure.user = smarthost.user;
    failure.origin = "`oauth` of " + smarthost.name;
    failure.oauth = std::make_shared<const OAuthFacts>(
        OAuthFacts{.provider = smarthost.oauth->provider, .flow = smarthost.oauth->flow});
  }
  return failure;
}

Failure make_failure(const Smarthost& smarthost, Stage stage, const IoError& error) {
  Failure failure = make_failure(smarthost, stage, failure_kind(error.kind, stage));
  // After STARTTLS the port is right, so something else is wrong.
  if (error.kind == IoErrorKind::not_tls && smarthost.tls.mode != TlsMode::implicit)
    failure.kind = tls_failed;
  failure.io = error.kind;
  failure.detail = error.text;
  failure.certificate = error.certificate;
  return failure;
}

std::string_view to_text(FailureKind kind) { return row_of(kind).name; }

std::string_view to_text(Stage stage) {
  static constexpr std::array<std::string_view, 10> kNames{
      "lookup", "connect", "greeting", "tls", "ehlo", "auth", "mail", "rcpt", "data", "message"};
  return kNames.at(static_cast<std::size_t>(stage));
}

std::string_view to_text(Concerns concerns) {
  static constexpr std::array<std::string_view, 3> kNames{"smarthost", "message", "recipient"};
  return kNames.at(static_cast<std::size_t>(concerns));
}

EnhancedStatus status_of(const Failure& failure, bool permanent) {
  const std::uint16_t status_class = permanent ? 5 : 4;
  // A temporary failure has become final because the mail expired (RFC 3463: delivery time expired).
  if (permanent && failure.reply && failure.reply->is_transient()) return {status_class, 4, 7};
  if (failure.reply && failure.reply->status)
    return {status_class, failure.reply->status->subject, failure.reply->status->detail};
  const KindRow& row = row_of(failure.kind);
  return {status_class, row.subject, row.detail};
}

}  // namespace hikyaku::mail
