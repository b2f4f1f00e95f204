// SPDX-License-Identifier: MIT
// What has been looked up, for as long as it may be kept: the records' TTL, within bounds. That a name does
// not exist is kept for a minute at most, a failure never. Follows aliases (CNAME). Bounded in entries. The
// loop's thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "daemon/dns/answer.h"
#include "daemon/io/loop.h"

namespace hikyaku::dns {

inline constexpr std::size_t kMostKept = 1000;
inline constexpr Duration kLeastTtl = 10s;
inline constexpr Duration kMostTtl = 1h;
inline constexpr Duration kMostNegativeTtl = 1min;

class RecordCache final : public RecordSource {
 public:
  // Both outlive the cache.
  RecordCache(io::Loop& loop, RecordSource& below) : loop_(loop), below_(below) {}

  // `found`, `no_data`, `no_such_name` or `failed`; never `alias`.
  Task<Answer> look_up(std::string name, RecordType type, io::Until until) override;

  void forget() {
    kept_.clear();
    ends_.clear();
  }
  std::size_t size() const { return kept_.size(); }

 private:
  using Key = std::pair<std::string, RecordType>;
  struct Kept {
    Answer answer;
    Instant until;
  };

  Task<Answer> look_up_one(std::string name, RecordType type, io::Until until);
  void keep(Key key, const Answer& answer);
  void drop(Key key);

  io::Loop& loop_;
  RecordSource& below_;
  std::map<Key, Kept> kept_;
  std::set<std::pair<Instant, Key>> ends_;  // of all that is kept: what is over next makes room
};

}  // namespace hikyaku::dns
