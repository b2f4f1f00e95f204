// SPDX-License-Identifier: MIT
// What there is to say about a peer's certificate, above all about one that was refused. Internal to
// daemon/io.
#pragma once

#include <openssl/ssl.h>

#include <string>

#include "daemon/base/certificate_facts.h"

namespace hikyaku::io {

// "sha256:" and 64 hex digits.
std::string fingerprint_of(const X509* certificate);

// `faulty` is the one of the chain that something is wrong with, perhaps the certificate itself.
CertificateFactsPtr facts_of(const X509* certificate, const X509* faulty);

// Before the handshake: the peer has to be verified, and what it is refused for is kept. OpenSSL itself keeps
// no certificate that it has refused.
void demand_verified_peer(SSL* ssl);
// After a handshake that failed: the certificate that was refused; null if it failed for another reason.
CertificateFactsPtr refused_certificate(const SSL* ssl);

}  // namespace hikyaku::io
