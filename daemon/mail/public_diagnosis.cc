// SPDX-License-Identifier: MIT
#include "daemon/base/text.h"
#include "daemon/mail/diagnosis.h"

namespace hikyaku::mail {
namespace {

using enum FailureKind;

constexpr std::string_view kCorrect = "the administrator has to correct it";
constexpr std::string_view kAgain = "it is tried again by itself";

struct PublicText {
  std::string_view what;
  std::string_view next;
};

PublicText text_for(FailureKind kind) {
  switch (kind) {
    case lookup_failed:
    case no_such_name: return {"the smarthost's name cannot be found", kCorrect};
    case refused:
    case connect_timed_out:
    case unreachable:
    case greeting_timed_out:
    case closed_early:
    case timed_out: return {"the smarthost cannot be reached, or does not answer", kAgain};
    case smarthost_refuses: return {"the smarthost takes no mail from this machine at the moment", kAgain};
    case account_quota: return {"the smarthost takes no more mail from this machine for a while", kAgain};
    case oauth_unreachable:
    case auth_temporary: return {"the smarthost cannot log hikyaku in at the moment", kAgain};
    case auth_only_after_tls:
    case auth_not_offered:
    case no_usable_mechanism:
    case missing_plugin:
    case plaintext_auth_not_allowed:
    case auth_rejected:
    case auth_protocol_error:
    case credentials_demanded:
    case basic_auth_disabled:
    case app_password_needed:
    case oauth_consent_needed:
    case oauth_client_refused:
    case oauth_setup:
    case oauth_scope:
    case oauth_token_refused:
    case auth_blocked: return {"the smarthost refuses hikyaku's log-in", kCorrect};
    case relaying_refused: return {"the smarthost relays no mail from this machine", kCorrect};
    case tls_from_first_byte:
    case starttls_not_offered:
    case plain_on_implicit:
    case tls_demanded:
    case injected_after_starttls:
    case tls_expired:
    case tls_not_yet_valid:
    case tls_self_signed:
    case tls_unknown_issuer:
    case tls_wrong_name:
    case tls_pin_mismatch:
    case tls_old_protocol:
    case tls_weak_key:
    case tls_weak_signature:
    case tls_legacy_renegotiation:
    case tls_failed:
    case tls_setup: return {"no safe connection to the smarthost can be made", kCorrect};
    case dns_unreachable:
    case port_blocked: return {"no mail server can be reached from this machine", kCorrect};
    default: return {"the smarthost cannot be used", kCorrect};
  }
}

// A server of the recipients' own domain: nobody here has anything to correct.
PublicText text_for_direct(FailureKind kind) {
  switch (kind) {
    case dns_unreachable:
    case port_blocked: return text_for(kind);
    case lookup_failed:
    case no_such_name:
    case no_such_domain:
    case no_mail_server: return {"the recipient's mail server cannot be found", kAgain};
    case null_mx: return {"the recipient's domain takes no mail", kAgain};
    case mail_loops:
    case ourselves: return {"the recipient's mail server is this machine itself", kCorrect};
    case smarthost_refuses:
    case machine_refused: return {"the recipient's mail server takes no mail from this machine now", kAgain};
    default: return {"the recipient's mail server cannot be reached, or does not answer", kAgain};
  }
}

}  // namespace

std::string public_diagnosis(const Failure& failure) {
  PublicText text = failure.is_direct ? text_for_direct(failure.kind) : text_for(failure.kind);
  return cat(text.what, "; ", text.next);
}

}  // namespace hikyaku::mail
