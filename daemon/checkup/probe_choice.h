// SPDX-License-Identifier: MIT
// From what was found to what is recommended, and why, with the lines to paste. Recommended is only what hikyaku
// could use as it stands, with TLS and a certificate that holds; clear text only where no password is asked for.
// A host that only a SRV record names is not recommended unless it is known to be the domain's own, since the DNS
// is not authenticated (RFC 6186 6): whoever can forge an answer would be handed the password. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/checkup/probe_port.h"
#include "daemon/checkup/probe_target.h"
#include "daemon/mail/smarthost.h"

namespace hikyaku::checkup {

struct HostFinding {
  Place place;
  std::vector<PortFinding> ports = {};
};

struct Recommendation {
  std::string host;
  std::uint16_t port = 0;
  mail::TlsMode tls = mail::TlsMode::implicit;  // opportunistic: TLS is not offered
  std::vector<std::string> mechanisms = {};     // to log in with, the best first; empty: none is offered
  Origin origin = Origin::given;
  std::string preset = {};     // of the provider (config/presets.h); empty: none is known
  std::uint64_t max_size = 0;  // of a message; 0: not told
  std::string why = {};        // "it speaks TLS from the first byte, …"
};

struct Choice {
  std::optional<Recommendation> recommended;
  // The best of the hosts that only a SRV record names, for somebody to confirm by whom it is run.
  std::optional<Recommendation> unconfirmed;
};

// `installed`: the mechanisms that have a plug-in here.
Choice choose(const ProbeTarget& target, const std::vector<HostFinding>& found,
              const std::set<std::string>& installed);

// Those that could log us in here, the best first; empty: none, or none is offered.
std::vector<std::string> usable_to_log_in(const PortFinding& finding, const std::set<std::string>& installed);

// Why nobody could log in there from here, though a log-in is offered; nullopt: somebody could, or there is none.
std::optional<mail::Failure> trouble_with_login(const std::string& host, const PortFinding& finding,
                                                const std::set<std::string>& installed);

// Whether hikyaku can use the mechanism at all, be its plug-in installed or not.
bool is_known_mechanism(std::string_view mechanism);

// As in the configuration: "starttls".
std::string_view word_for(mail::TlsMode mode);

// The configuration's lines: one where the defaults do. `user` is the account, which some providers want as the
// sender; empty: it is not known yet.
std::string smarthost_yaml(const Recommendation& choice, std::string_view user = {});

// With which to look independently of us (and `EHLO me` typed, at what is offered).
std::string openssl_command(const Recommendation& choice);

}  // namespace hikyaku::checkup
