// SPDX-License-Identifier: MIT
// What bench_spool measures, each in a directory that is empty at first; one line a result (README.md).
// Throws where something fails.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hikyaku::bench {

// `count` rounds of `seconds` for each number of writers, in turns with the bare disk.
void measure_rates(const std::string& directory, double seconds, unsigned count);
// Starts with so many messages queued; the counts grow. In processes of their own: call it before any thread
// has been started.
void measure_starts(const std::string& directory, const std::vector<std::uint64_t>& counts);

}  // namespace hikyaku::bench
