// SPDX-License-Identifier: MIT
// When to believe that a domain does not exist. A resolver that has lost its way says so of every name, and
// mail that bounced because of it cannot be called back. So one such answer proves nothing: a second one is
// needed, half an hour later or more, from a resolver that has found other names in between. Pure; bounded;
// what is forgotten only makes it more patient.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"

namespace hikyaku::dns {

class AbsenceEvidence {
 public:
  static constexpr Duration kPatience = 30min;
  static constexpr Duration kMemory = 24h;  // after the newest such answer
  static constexpr std::size_t kMost = 10'000;

  // The resolver, not a cache, has said that `domain` does not exist. Returns whether that is to be believed.
  bool absent(std::string_view domain, Instant now);
  // The resolver, not a cache, has found records of `domain`.
  void found(std::string_view domain, Instant now);
  // The same, where perhaps only a cache has said it: no evidence about the resolver.
  void exists(std::string_view domain);
  // Another resolver is asked from now on.
  void forget() { *this = {}; }
  std::size_t size() const { return said_.size(); }

 private:
  struct Said {
    Instant first;
    Instant newest;
  };
  void make_room(Instant now);

  std::map<std::string, Said, std::less<>> said_;
  Instant last_found_{};  // any name
};

}  // namespace hikyaku::dns
