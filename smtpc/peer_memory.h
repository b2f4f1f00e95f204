// SPDX-License-Identifier: MIT
// Addresses of servers about which something was learnt that holds for a while. Pure; bounded.
#pragma once

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

}  // namespace hikyaku::smtpc
