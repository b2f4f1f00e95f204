// SPDX-License-Identifier: MIT
#include "tests/support/chaos/smarthost.h"

#include <algorithm>
#include <utility>

#include "tests/support/chaos/session.h"

namespace hikyaku::test {
namespace {

constexpr std::size_t kMost = 64 * 1024;
constexpr std::size_t kSegments[] = {3, 60, 1448, kMost};
constexpr std::size_t kWindow = 400;  // segments

io::MemoryPairOptions connection(Dice& dice) {
  io::MemoryPairOptions options;
  options.largest_read = kSegments[dice.below(std::size(kSegments))];
  options.capacity = std::min(kMost, options.largest_read * kWindow);
  options.first_address = Endpoint::parse("127.0.0.1:40000");
  options.second_address = Endpoint::parse("127.0.0.1:587");
  return options;
}

}  // namespace

ChaosSmarthost::ChaosSmarthost(io::Loop& loop, std::uint64_t seed)
    : loop_(loop), dice_(seed), nursery_(loop) {}

io::StreamPtr ChaosSmarthost::connect() {
  ++dials_;
  if (is_down || dice_.chance(odds.refused_dials)) return nullptr;
  auto pair = io::make_memory_pair(loop_, connection(dice_));
  nursery_.spawn(serve(std::move(pair.second), dice_.next()));
  return std::move(pair.first);
}

Task<void> ChaosSmarthost::serve(io::StreamPtr stream, std::uint64_t seed) {
  ChaosSession session(*this, std::move(stream), seed);
  co_await session.run();
}

Reaction ChaosSmarthost::react(Moment moment, const std::string& sender, const std::string& recipient,
                               Dice& dice) {
  auto wanted = whim(moment, sender, recipient);
  return wanted ? *wanted : roll(odds, dice);
}

}  // namespace hikyaku::test
