// SPDX-License-Identifier: MIT
// Addresses of servers about which something was learnt that holds for a while. Pure; bounded.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"

namespace hikyaku::smtpc {

class PeerMemory {
 public:
  static constexpr std::size_t kMost = 2000;

  explicit PeerMemory(Duration how_long) : how_long_(how_long) {}

  // An address is "192.0.2.1:25".
  void add(const std::string& address, Instant now);
  void remove(std::string_view address);
  bool has(std::string_view address, Instant now) const;
  std::size_t size() const { return until_.size(); }

 private:
  Duration how_long_;
  std::map<std::string, Instant, std::less<>> until_;
};

inline void PeerMemory::add(const std::string& address, Instant now) {
  if (until_.size() >= kMost) std::erase_if(until_, [now](const auto& entry) { return entry.second <= now; });
  if (until_.size() >= kMost && !until_.contains(address))
    until_.erase(std::ranges::min_element(until_, {}, [](const auto& entry) { return entry.second; }));
  until_[address] = now + how_long_;
}

inline void PeerMemory::remove(std::string_view address) {
  if (auto known = until_.find(address); known != until_.end()) until_.erase(known);
}

inline bool PeerMemory::has(std::string_view address, Instant now) const {
  auto known = until_.find(address);
  return known != until_.end() && now < known->second;
}

}  // namespace hikyaku::smtpc
