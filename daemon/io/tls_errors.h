// SPDX-License-Identifier: MIT
// OpenSSL's errors as our closed set. Internal to daemon/io.
#pragma once

#include <openssl/ssl.h>

#include <string>
#include <string_view>

#include "daemon/base/io_error.h"

namespace hikyaku::io {

// Empties the thread's error queue; the first (oldest) error in OpenSSL's words, or "".
std::string drain_openssl_errors();
// Why a handshake failed, from the error queue, the verify result and the peer's first bytes.
IoError handshake_error(const SSL* ssl, std::string_view first_bytes);
// For a certificate that failed: kind and words. `result` is not X509_V_OK.
IoError verify_error(long result, const std::string& name, CertificateFactsPtr certificate);

}  // namespace hikyaku::io
