// SPDX-License-Identifier: MIT
#include "smtpd/policy.h"

#include <algorithm>

#include "daemon/base/error.h"
#include "smtpd/replies.h"

namespace hikyaku::smtpd {

bool is_counted(const std::optional<IpAddress>& peer) { return peer && !peer->is_loopback(); }

Admission admit(const AcceptPolicy& policy, const std::optional<IpAddress>& peer, std::size_t connections,
                std::size_t from_peer) {
  auto holds_peer = [&peer](const Network& network) { return network.contains(*peer); };
  if (peer && std::ranges::none_of(policy.allow, holds_peer)) return Admission::not_allowed;
  if (connections >= (peer ? policy.connections : policy.local)) return Admission::too_many;
  if (!peer && from_peer >= policy.per_user) return Admission::too_many_of_user;
  if (is_counted(peer) && from_peer >= policy.per_client) return Admission::too_many_from_client;
  return Admission::welcome;
}

Reply refusal(Admission admission) {
  check(admission != Admission::welcome, "a welcome peer is not refused");
  if (admission == Admission::not_allowed) return replies::not_allowed();
  if (admission == Admission::too_many_of_user) return replies::too_many_of_user();
  return admission == Admission::too_many ? replies::too_many_connections() : replies::too_many_from_client();
}

bool is_crowded(std::size_t connections, std::size_t limit) { return 5 * connections >= 4 * limit; }

std::optional<Reply> refusal_of_sender(const mail::AddressPatterns& senders, std::string_view sender) {
  if (sender.empty() || mail::matches_any(senders, sender)) return std::nullopt;
  return replies::sender_not_allowed(senders);
}

}  // namespace hikyaku::smtpd
