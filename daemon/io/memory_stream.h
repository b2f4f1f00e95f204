// SPDX-License-Identifier: MIT
// Two ends of a connection in memory, for dialogue tests and simulated time. Behaves as TCP does: bytes
// written arrive in order, a destroyed end is eof for the other after what was written before, reading from a
// broken one is `reset`. No limit on what is under way unless one is given.
#pragma once

#include <memory>
#include <utility>

#include "daemon/io/loop.h"
#include "daemon/io/stream.h"

namespace hikyaku::io {

struct MemoryPairOptions {
  std::size_t capacity = SIZE_MAX;        // bytes under way in one direction before write() suspends
  std::size_t largest_read = SIZE_MAX;    // splits reads, as segments do
  std::optional<Endpoint> first_address;  // peer() of the second end, local() of the first
  std::optional<Endpoint> second_address;
  std::optional<std::uint32_t> uid{};  // peer_uid() of both ends
  std::string second_name{};           // peer_name() of the first end
};

struct MemoryPair {
  StreamPtr first;
  StreamPtr second;
};

MemoryPair make_memory_pair(Loop& loop, MemoryPairOptions options = {});

}  // namespace hikyaku::io
