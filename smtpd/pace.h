// SPDX-License-Identifier: MIT
// How long to wait for the next piece of content: a limit for each wait, and a minimum rate on average, so
// that a client cannot hold a session with one byte now and then. Pure.
#pragma once

#include <algorithm>
#include <cstdint>

#include "daemon/base/clock.h"

namespace hikyaku::smtpd {

class Pace {
 public:
  // `patience` is the longest single wait, and how long the average may be anything.
  Pace(Instant start, Duration patience, std::uint64_t bytes_per_second)
      : start_(start), patience_(patience), rate_(bytes_per_second) {}

  void came(std::size_t bytes) { bytes_ += bytes; }
  // Time that was ours, not the client's: a slow disk, a used-up memory budget.
  void forgive(Duration time) { start_ += time; }

  Instant deadline(Instant now) const {
    auto earned = std::chrono::seconds(static_cast<std::int64_t>(bytes_ / rate_));
    return std::min(now + patience_, start_ + patience_ + earned);
  }

 private:
  Instant start_;
  Duration patience_;
  std::uint64_t rate_;
  std::uint64_t bytes_ = 0;
};

}  // namespace hikyaku::smtpd
