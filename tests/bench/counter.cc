// SPDX-License-Identifier: MIT
#include "tests/bench/counter.h"

#include <cstdio>

namespace hikyaku::bench {

void Counter::count_connection() {
  const std::scoped_lock lock(mutex_);
  connections_++;
}

void Counter::count_message(std::uint64_t number) {
  const std::scoped_lock lock(mutex_);
  arrived_++;
  last_ = std::chrono::steady_clock::now();
  if (number >= seen_.size()) seen_.resize(number + 1);
  if (!seen_[number]) different_++;
  seen_[number] = true;
}

std::string Counter::to_text() const {
  const std::scoped_lock lock(mutex_);
  const double last = std::chrono::duration<double>(last_.time_since_epoch()).count();
  char text[160];
  std::snprintf(text, sizeof text, "arrived=%llu different=%llu connections=%llu last=%.6f",
                static_cast<unsigned long long>(arrived_), static_cast<unsigned long long>(different_),
                static_cast<unsigned long long>(connections_), last);
  return text;
}

}  // namespace hikyaku::bench
