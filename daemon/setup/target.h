// SPDX-License-Identifier: MIT
// What is meant by the answer to setup's first question (an address, a host, a URL, a provider's name), and what is
// known about that smarthost: from the table of providers, or by having a look at it. Pure but for the Probe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/error.h"
#include "daemon/config/presets.h"
#include "daemon/mail/smarthost.h"

namespace hikyaku::setup {

// What a look at a smarthost has shown.
struct FoundServer {
  std::string host;
  std::uint16_t port = 0;
  mail::TlsMode tls = mail::TlsMode::implicit;
  bool offers_login = true;
  std::string preset{};  // of its provider; empty: none is known
  std::string words{};   // lines for people: what was found
  std::string doubt{};   // a sentence; not empty: only the DNS, which anybody may forge, has named this host
};

// Looks for the smarthost of a mail domain, or at a smarthost. The error says in words what was tried, and what to
// do.
using Probe = std::function<Result<FoundServer, std::string>(const std::string& host)>;

struct Target {
  const config::Preset* preset = nullptr;  // of the provider, if it is known
  std::string address{};                   // if one was given
  std::string host{};  // empty: of the preset each account has its own, so it must be asked
  std::uint16_t port = 0;
  mail::TlsMode tls = mail::TlsMode::implicit;
  bool offers_login = true;
  std::string words{};  // what was found, in lines for people
  std::string doubt{};  // as FoundServer's
};

// The error says what to answer instead.
Result<Target, std::string> find_target(std::string_view answer, const Probe& probe);

// "smtps://smtp.example.com", "submission://smtp.example.com:2587"; a combination that no URL has: host and port.
std::string url_of(const std::string& host, std::uint16_t port, mail::TlsMode tls);
// "smtp.example.com port 465, TLS from the first byte".
std::string describe_server(const std::string& host, std::uint16_t port, mail::TlsMode tls);

// Why this provider's smarthost cannot be used, with what to do; empty: it can.
std::string explain_obstacle(const config::Preset& preset);

}  // namespace hikyaku::setup
