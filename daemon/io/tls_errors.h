// SPDX-License-Identifier: MIT
// What OpenSSL says about a failure, in our terms: errors as our closed set, and the facts of the certificate
// that was refused. Internal to daemon/io.
#pragma once

#include <openssl/ssl.h>

#include <string>
#include <string_view>

#include "daemon/base/io_error.h"
#include "daemon/base/tls_facts.h"

namespace hikyaku::io {

// Empties the thread's error queue; returns its first (oldest) error in OpenSSL's words, or "".
std::string drain_openssl_errors();
// Why a handshake failed, from the error queue, the verify result and the peer's first bytes.
IoError handshake_error(const SSL* ssl, std::string_view first_bytes);
// For a certificate that failed: kind and words. `result` is not X509_V_OK.
IoError verify_error(long result, const std::string& name, CertificateFactsPtr certificate);

// Before the handshake: the peer must be verified, and a refused certificate is kept for
// refused_certificate(). OpenSSL itself does not keep it.
void demand_verified_peer(SSL* ssl);
// After a failed handshake: the refused certificate; nullptr if the handshake failed for another reason.
CertificateFactsPtr refused_certificate(const SSL* ssl);

}  // namespace hikyaku::io
