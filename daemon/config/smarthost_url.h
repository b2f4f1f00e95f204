// SPDX-License-Identifier: MIT
// smtps://HOST, submission://HOST, smtp://HOST, each with an optional :PORT: a smarthost in one line. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/error.h"
#include "daemon/mail/smarthost.h"

namespace hikyaku::config {

struct SmarthostUrl {
  mail::TlsMode mode = mail::TlsMode::implicit;
  std::string host;  // as parse_host() gives it
  std::optional<std::uint16_t> port;
};

// The error is what to change, and repeats nothing of the URL: a password may stand in it.
Result<SmarthostUrl, std::string> parse_smarthost_url(std::string_view url);

// 465, 587 or 25.
std::uint16_t default_port(mail::TlsMode mode);
// Nothing for a port that says nothing about TLS.
std::optional<mail::TlsMode> default_tls_mode(std::uint16_t port);

}  // namespace hikyaku::config
