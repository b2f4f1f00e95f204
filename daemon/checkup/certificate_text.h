// SPDX-License-Identifier: MIT
// A certificate as people and scripts read it: whom it is for, who vouches for it, until when, and the fingerprint
// that can be pinned. What comes from the peer is escaped here. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/io_error.h"
#include "daemon/base/json.h"
#include "daemon/base/tls_facts.h"

namespace hikyaku::checkup {

inline constexpr Duration kEndsSoon = std::chrono::days(14);

// Each a line: the names, then for each certificate of the chain its subject, issuer and dates, then the
// fingerprint.
std::vector<std::string> certificate_lines(const CertificateFacts& certificate, WallTime now);

JsonObject certificate_json(const CertificateFacts& certificate);

// The certificate of the chain that ends first within kEndsSoon; nullptr: none does.
const ChainLink* link_that_ends_soon(const CertificateFacts& certificate, WallTime now);

// "has expired": what is wrong with a certificate, behind its name. For kinds that are about certificates.
std::string_view words_for_fault(IoErrorKind fault);

}  // namespace hikyaku::checkup
