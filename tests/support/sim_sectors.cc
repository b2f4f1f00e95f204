// SPDX-License-Identifier: MIT
#include "tests/support/sim_sectors.h"

#include <algorithm>

namespace hikyaku::test {

std::uint64_t Dice::next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

std::size_t SimSectors::read(std::span<char> into, std::uint64_t offset) const {
  if (offset >= cache_.size()) return 0;
  return cache_.copy(into.data(), into.size(), offset);
}

void SimSectors::write(std::string_view bytes, std::uint64_t offset) {
  if (bytes.empty()) return;
  std::uint64_t end = offset + bytes.size();
  remember(offset, end);
  if (end > cache_.size()) {
    sizes_.push_back(cache_.size());
    cache_.resize(end, '\0');
  }
  cache_.replace(offset, bytes.size(), bytes);
}

void SimSectors::resize(std::uint64_t size) {
  if (size == cache_.size()) return;
  if (size < cache_.size()) remember(size, cache_.size());
  sizes_.push_back(cache_.size());
  cache_.resize(size, '\0');
}

void SimSectors::flush() {
  dirty_.clear();
  sizes_.clear();
}

void SimSectors::fail_flush(Dice& dice) {
  for (auto& [number, older] : dirty_) {
    std::string reached = fate_of(number, older, dice, Fate{50}, {});
    if (reached != sector(number)) dropped_[number] = std::move(reached);
  }
  dirty_.clear();
}

SimSectors SimSectors::after_cut(Dice& dice, Fate fate, const StaleSectors& stale) const {
  SimSectors found;
  found.cache_ = cache_;
  std::uint64_t size = sizes_.empty() ? cache_.size() : sizes_[fate.kept > 0 ? dice.below(sizes_.size()) : 0];
  if (dice.chance(fate.kept)) size = cache_.size();
  found.cache_.resize(std::max(size, cache_.size()), '\0');
  for (const auto& [number, platter] : dropped_) found.put(number, platter);
  for (const auto& [number, older] : dirty_) found.put(number, fate_of(number, older, dice, fate, stale));
  found.cache_.resize(size);
  return found;
}

void SimSectors::remember(std::uint64_t first_byte, std::uint64_t end) {
  for (std::uint64_t number = first_byte / kSector; number * kSector < end; ++number) {
    auto& older = dirty_[number];
    auto dropped = dropped_.find(number);
    older.push_back(dropped == dropped_.end() ? sector(number) : dropped->second);
    if (dropped != dropped_.end()) dropped_.erase(dropped);
  }
}

std::string SimSectors::sector(std::uint64_t number) const {
  return number * kSector < cache_.size() ? cache_.substr(number * kSector, kSector) : std::string();
}

std::string SimSectors::fate_of(std::uint64_t number, const std::vector<std::string>& older, Dice& dice,
                                Fate fate, const StaleSectors& stale) const {
  if (dice.chance(fate.kept)) return sector(number);
  bool is_new_block = number * kSector >= durable_size();
  if (fate.kept > 0 && is_new_block && !stale.empty() && dice.chance(50))
    return stale[dice.below(stale.size())];
  return fate.kept > 0 ? older[dice.below(older.size())] : older.front();
}

void SimSectors::put(std::uint64_t number, const std::string& sector) {
  std::uint64_t offset = number * kSector;
  if (cache_.size() < offset + kSector) cache_.resize(offset + kSector, '\0');
  cache_.replace(offset, kSector, sector + std::string(kSector - sector.size(), '\0'));
}

}  // namespace hikyaku::test
