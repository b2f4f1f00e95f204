// SPDX-License-Identifier: MIT
// A certificate for trying things out, and for applications that insist on TLS but verify nothing: a fresh key,
// signed by itself. A client that is to accept it uses the file as its CA (tls_ca_file) or pins the fingerprint.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "daemon/base/io_error.h"

namespace hikyaku::io {

struct SelfSigned {
  std::string cert_file;
  std::string key_file;     // 0600
  std::string fingerprint;  // "sha256:" and 64 hex digits
};

// Writes cert.pem and key.pem into `directory`, where neither may be yet. For these names (DNS names and IP
// addresses, at least one), from an hour ago for so long. Errors: tls_setup. Blocks.
Result<SelfSigned, IoError> make_self_signed(const std::string& directory,
                                             const std::vector<std::string>& names,
                                             std::chrono::days lifetime = std::chrono::days(30));

}  // namespace hikyaku::io
