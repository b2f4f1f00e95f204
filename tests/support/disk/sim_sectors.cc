// SPDX-License-Identifier: MIT
#include "tests/support/disk/sim_sectors.h"

#include <algorithm>

namespace hikyaku::test {
namespace {

// Without the zeros behind the file's end.
std::string sector_of(const SimPages& pages, std::uint64_t number) {
  return pages.read(number * kSector, kSector);
}

}  // namespace

std::uint64_t Dice::next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

std::string SimSectors::Overwritten::sector(std::uint64_t number) const {
  auto known = dropped.find(number);
  return known == dropped.end() ? sector_of(before, number) : known->second;
}

void SimSectors::write(std::string_view bytes, std::uint64_t offset) {
  if (bytes.empty()) return;
  std::uint64_t end = offset + bytes.size();
  remember(offset, end);
  if (end > cache_.size()) sizes_.push_back(cache_.size());
  cache_.write(bytes, offset);
}

void SimSectors::resize(std::uint64_t size) {
  if (size == cache_.size()) return;
  if (size < cache_.size()) remember(size, cache_.size());
  sizes_.push_back(cache_.size());
  cache_.resize(size);
}

void SimSectors::flush() {
  overwritten_.clear();
  sizes_.clear();
}

void SimSectors::fail_flush(Dice& dice) {
  for (auto& [number, older] : dirty()) {
    std::string reached = fate_of(number, older, dice, Fate{50}, {});
    if (reached != sector(number)) dropped_[number] = std::move(reached);
  }
  overwritten_.clear();
}

SimSectors SimSectors::after_cut(Dice& dice, Fate fate, const StaleSectors& stale) const {
  SimSectors found;
  found.cache_ = cache_;
  std::uint64_t size = sizes_.empty() ? cache_.size() : sizes_[fate.kept > 0 ? dice.below(sizes_.size()) : 0];
  if (dice.chance(fate.kept)) size = cache_.size();
  found.cache_.resize(std::max(size, cache_.size()));
  for (const auto& [number, platter] : dropped_) found.put(number, platter);
  if (fate.kept < 100)
    for (const auto& [number, older] : dirty()) found.put(number, fate_of(number, older, dice, fate, stale));
  found.cache_.resize(size);
  return found;
}

void SimSectors::remember(std::uint64_t first_byte, std::uint64_t end) {
  Overwritten now{first_byte / kSector, (end + kSector - 1) / kSector, cache_, {}};
  auto first = dropped_.lower_bound(now.first);
  auto last = dropped_.lower_bound(now.end);
  now.dropped.insert(first, last);
  dropped_.erase(first, last);
  overwritten_.push_back(std::move(now));
}

std::map<std::uint64_t, std::vector<std::string>> SimSectors::dirty() const {
  std::map<std::uint64_t, std::vector<std::string>> sectors;
  for (const Overwritten& one : overwritten_)
    for (std::uint64_t number = one.first; number < one.end; ++number)
      sectors[number].push_back(one.sector(number));
  return sectors;
}

std::string SimSectors::sector(std::uint64_t number) const { return sector_of(cache_, number); }

std::string SimSectors::fate_of(std::uint64_t number, const std::vector<std::string>& older, Dice& dice,
                                Fate fate, const StaleSectors& stale) const {
  if (dice.chance(fate.kept)) return sector(number);
  bool is_new_block = number * kSector >= durable_size();
  if (fate.kept > 0 && is_new_block && !stale.empty() && dice.chance(50))
    return stale[dice.below(stale.size())];
  return fate.kept > 0 ? older[dice.below(older.size())] : older.front();
}

void SimSectors::put(std::uint64_t number, const std::string& sector) {
  cache_.write(sector + std::string(kSector - sector.size(), '\0'), number * kSector);
}

}  // namespace hikyaku::test
