// SPDX-License-Identifier: MIT
// The content of one simulated file as page cache and platter see it: for every 512-byte sector written since
// the last flush it remembers what stood there before, so that a power cut can choose each sector's fate by
// itself. Copies are cheap.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/disk/sim_pages.h"

namespace hikyaku::test {

inline constexpr std::size_t kSector = 512;

// Numbers that depend on the seed alone, on every machine (splitmix64).
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
  bool chance(unsigned percent) { return below(100) < percent; }

 private:
  std::uint64_t state_;
};

// How many percent of what was not flushed a cut keeps: 0 and 100 find most bugs, what lies between finds the
// rest.
struct Fate {
  unsigned kept = 0;
};

// What a cut may leave in a block that the file got but never wrote: pieces of files deleted before.
using StaleSectors = std::vector<std::string>;

class SimSectors {
 public:
  std::uint64_t size() const { return cache_.size(); }
  std::string bytes() const { return cache_.read(0, static_cast<std::size_t>(cache_.size())); }
  std::size_t read(std::span<char> into, std::uint64_t offset) const { return cache_.read(into, offset); }
  void write(std::string_view bytes, std::uint64_t offset);
  void resize(std::uint64_t size);  // zeros where it grows
  void flush();
  // The flush failed: each dirty sector reached the platter or did not, the cache shows them as clean, and
  // the next flush succeeds without writing them. That is what Linux does.
  void fail_flush(Dice& dice);
  // As found after the power came back; everything in it is durable.
  SimSectors after_cut(Dice& dice, Fate fate, const StaleSectors& stale) const;

 private:
  using Sectors = std::map<std::uint64_t, std::string>;
  // What stood in sectors [first, end) before they were written; `dropped`: on the platter, where that
  // differs.
  struct Overwritten {
    std::uint64_t first;
    std::uint64_t end;
    SimPages before;
    Sectors dropped;
    std::string sector(std::uint64_t number) const;
  };

  void remember(std::uint64_t first_byte, std::uint64_t end);
  // The earlier contents of each sector that is dirty, the durable one first.
  std::map<std::uint64_t, std::vector<std::string>> dirty() const;
  std::string sector(std::uint64_t number) const;
  std::uint64_t durable_size() const { return sizes_.empty() ? cache_.size() : sizes_.front(); }
  std::string fate_of(std::uint64_t number, const std::vector<std::string>& older, Dice& dice, Fate fate,
                      const StaleSectors& stale) const;
  void put(std::uint64_t number, const std::string& sector);

  SimPages cache_;
  std::vector<std::uint64_t> sizes_;      // since the last flush, the durable one first
  std::vector<Overwritten> overwritten_;  // since the last flush, oldest first
  Sectors dropped_;                       // clean in the cache, but this is on the platter
};

}  // namespace hikyaku::test
