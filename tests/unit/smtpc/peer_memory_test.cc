// SPDX-License-Identifier: MIT
#include "smtpc/peer_memory.h"

#include <doctest/doctest.h>

using namespace hikyaku;
using namespace hikyaku::smtpc;

namespace {

constexpr Instant kLearnt{1h};

}  // namespace

TEST_CASE("peer memory: what was learnt of an address holds for a while") {
  PeerMemory memory(5min);
  memory.add("192.0.2.1:25", kLearnt);
  CHECK(memory.has("192.0.2.1:25", kLearnt + 299s));
  CHECK_FALSE(memory.has("192.0.2.1:25", kLearnt + 300s));
  CHECK_FALSE(memory.has("192.0.2.2:25", kLearnt));
  memory.add("192.0.2.1:25", kLearnt + 200s);
  CHECK(memory.has("192.0.2.1:25", kLearnt + 400s));
  memory.remove("192.0.2.1:25");
  CHECK_FALSE(memory.has("192.0.2.1:25", kLearnt + 200s));
}

TEST_CASE("peer memory: it is bounded, and forgets what would end first") {
  PeerMemory memory(5min);
  for (std::size_t i = 0; i <= PeerMemory::kMost; ++i) memory.add(std::to_string(i), kLearnt + Duration(i));
  CHECK(memory.size() == PeerMemory::kMost);
  CHECK_FALSE(memory.has("0", kLearnt + 1s));
  CHECK(memory.has("1", kLearnt + 1s));
  memory.add("late", kLearnt + 1h);
  CHECK(memory.size() == 1);
}
