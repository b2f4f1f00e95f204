// SPDX-License-Identifier: MIT
// Who may connect, `allow` and the limits on connections, and who may be a sender, `senders`: pure decisions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/base/defaults.h"
#include "daemon/base/ip.h"
#include "daemon/mail/address_pattern.h"
#include "smtpd/replies.h"

namespace hikyaku::smtpd {

struct AcceptPolicy {
  std::vector<Network> allow;                        // who may send over TCP; the Unix socket always may
  std::size_t connections = defaults::kConnections;  // over TCP
  std::size_t per_client = defaults::kConnectionsPerClient;  // not for loopback
  // The Unix socket has places of its own, so that no crowd on the ports keeps sendmail(1) out, and no user
  // has all of them.
  std::size_t local = defaults::kConnections / 2;
  std::size_t per_user = defaults::kConnections / 4;
};

enum class Admission : std::uint8_t {
  welcome,
  not_allowed,
  too_many,
  too_many_from_client,
  too_many_of_user
};

// `peer` is nullopt for the Unix socket. The counts are of existing connections: over TCP, or over the Unix
// socket; and of those, from the same address or user.
Admission admit(const AcceptPolicy& policy, const std::optional<IpAddress>& peer, std::size_t connections,
                std::size_t from_peer);
// The reply instead of the greeting; `admission` is not `welcome`.
Reply refusal(Admission admission);
// Whether per_client applies to this peer.
bool is_counted(const std::optional<IpAddress>& peer);
// Whether so many connections are so near the limit that idle clients must be disconnected.
bool is_crowded(std::size_t connections, std::size_t limit);

// The reply to MAIL with this sender; nullopt if it may send. Empty is the null sender, which always may: bounces
// come from it.
std::optional<Reply> refusal_of_sender(const mail::AddressPatterns& senders, std::string_view sender);

}  // namespace hikyaku::smtpd
