// SPDX-License-Identifier: MIT
// What has arrived at the sink: how many messages, how many different ones, and when the last. Shared by the
// threads of all connections.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace hikyaku::bench {

class Counter {
 public:
  void count_connection();
  // Called before the message is acknowledged. `number` is what the load gave it.
  void count_message(std::uint64_t number);
  // "arrived=12 different=12 connections=3 last=1234.567890", the time by CLOCK_MONOTONIC.
  std::string to_text() const;

 private:
  mutable std::mutex mutex_;
  std::vector<bool> seen_;
  std::uint64_t arrived_ = 0, different_ = 0, connections_ = 0;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace hikyaku::bench
