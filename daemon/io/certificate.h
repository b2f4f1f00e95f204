// SPDX-License-Identifier: MIT
// What a peer's certificate says, in our terms (base/tls_facts.h). Bounds what a hostile one can make us keep, and
// judges nothing: the handshake does. Internal to daemon/io.
#pragma once

#include <openssl/ssl.h>

#include <optional>
#include <string>

#include "daemon/base/clock.h"
#include "daemon/base/tls_facts.h"

namespace hikyaku::io {

// "sha256:" and 64 hex digits.
std::string fingerprint_of(const X509* certificate);

// Until when it is valid; nullopt if its date is none.
std::optional<WallTime> end_of(const X509* certificate);

// `faulty` is the certificate of the chain that is at fault, perhaps `certificate` itself, as for one without a
// fault. `chain` begins with `certificate`; it may be null.
CertificateFactsPtr facts_of(const X509* certificate, const X509* faulty, const STACK_OF(X509) * chain);

}  // namespace hikyaku::io
