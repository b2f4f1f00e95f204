// SPDX-License-Identifier: MIT
// What can go wrong on a connection. The set is closed; the diagnosis in plain words
// (daemon/mail/diagnosis.h) is derived from it, so each kind that an operator can do something about stands
// apart. Lives in base because pure code reasons about it without seeing a socket.
#pragma once

#include "daemon/base/error.h"
#include "daemon/base/tls_facts.h"

namespace hikyaku {

enum class IoErrorKind {
  eof,             // the peer closed
  timeout,         // our deadline passed
  cancelled,       // a Cancel was requested
  too_long,        // a line or block exceeded its limit
  reset,           // ECONNRESET, EPIPE
  refused,         // ECONNREFUSED
  unreachable,     // no route, host or network unreachable
  no_such_name,    // the name does not exist or has no address
  lookup_failed,   // the name service did not answer
  address_in_use,  // bind
  access_denied,   // bind or connect: EACCES, EPERM
  not_tls,         // the peer answered a TLS hello in something else (often plain SMTP)
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
  tls_failed,  // any other handshake or record failure
  tls_setup,   // our own certificate, key or CA file cannot be used
  system,      // anything else the system said
};

struct [[nodiscard]] IoError : Error<IoErrorKind> {
  IoError(IoErrorKind what, std::string words, CertificateFactsPtr peer = nullptr)
      : Error{what, std::move(words)}, certificate(std::move(peer)) {}
  CertificateFactsPtr certificate;  // the peer's, if it was refused because of its certificate; else nullptr
};

[[nodiscard]] inline std::unexpected<IoError> fail(IoErrorKind kind, std::string text) {
  return std::unexpected(IoError(kind, std::move(text)));
}

constexpr bool is_tls(IoErrorKind kind) {
  return kind >= IoErrorKind::not_tls && kind <= IoErrorKind::tls_setup;
}

}  // namespace hikyaku
