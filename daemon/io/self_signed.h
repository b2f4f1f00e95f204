// SPDX-License-Identifier: MIT
// A certificate for trying things out: a fresh key, signed by itself. A client that is to accept it uses the
// file as its CA (tls_ca_file) or pins the fingerprint. Never for a server that others rely on.
#pragma once

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
// addresses, at least one), from an hour ago for 30 days. Errors: tls_setup. Blocks.
Result<SelfSigned, IoError> make_self_signed(const std::string& directory,
                                             const std::vector<std::string>& names);

}  // namespace hikyaku::io
