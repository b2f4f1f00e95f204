// SPDX-License-Identifier: MIT
#include "smtpc/peer_memory.h"

#include <algorithm>

namespace hikyaku::smtpc {

void PeerMemory::add(const std::string& address, Instant now) {
  if (until_.size() >= kMost) std::erase_if(until_, [now](const auto& entry) { return entry.second <= now; });
  if (until_.size() >= kMost && !until_.contains(address))
    until_.erase(std::ranges::min_element(until_, {}, [](const auto& entry) { return entry.second; }));
  until_[address] = now + how_long_;
}

void PeerMemory::remove(std::string_view address) {
  if (auto known = until_.find(address); known != until_.end()) until_.erase(known);
}

bool PeerMemory::has(std::string_view address, Instant now) const {
  auto known = until_.find(address);
  return known != until_.end() && now < known->second;
}

}  // namespace hikyaku::smtpc
