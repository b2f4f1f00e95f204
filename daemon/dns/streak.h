// SPDX-License-Identifier: MIT
// Failures of different domains in a row, without a success between them: a failure of one domain is that
// domain's, a long streak is our network's. Pure.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

namespace hikyaku::dns {

class Streak {
 public:
  // As many different domains as make it long.
  explicit Streak(std::size_t enough) : enough_(enough) {}

  void failed(std::string_view domain) {
    if (!is_long()) domains_.emplace(domain);
  }
  void succeeded() { domains_.clear(); }
  bool is_long() const { return domains_.size() >= enough_; }

 private:
  std::size_t enough_;
  std::set<std::string, std::less<>> domains_;
};

}  // namespace hikyaku::dns
