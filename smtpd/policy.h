// SPDX-License-Identifier: MIT
// Who may connect: `allow` and the limits on connections, as a pure decision.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "daemon/base/ip.h"
#include "smtpd/reply.h"

namespace hikyaku::smtpd {

struct AcceptPolicy {
  std::vector<Network> allow;  // who may send over TCP; the Unix socket always may
  std::size_t connections = 1000;
  std::size_t per_client = 50;  // not for loopback and the Unix socket
};

enum class Admission : std::uint8_t { welcome, not_allowed, too_many, too_many_from_client };

// `peer` is nothing for the Unix socket; the counts are of connections that are there already.
Admission admit(const AcceptPolicy& policy, const std::optional<IpAddress>& peer, std::size_t connections,
                std::size_t from_peer);
// What to say to one that is not welcome, instead of the greeting.
Reply refusal(Admission admission);
// Whether per_client applies to this peer.
bool is_counted(const std::optional<IpAddress>& peer);

}  // namespace hikyaku::smtpd
