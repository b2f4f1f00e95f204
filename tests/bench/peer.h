// SPDX-License-Identifier: MIT
// The sink's side of one connection: takes every message, keeps none, counts them. A thread each, with
// blocking calls.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/fd.h"
#include "tests/bench/counter.h"

namespace hikyaku::bench {

class Peer {
 public:
  // Each answer waits for `delay`, as it would for a smarthost so far away; replies to commands that came
  // together (RFC 2920) leave together.
  Peer(Fd socket, std::chrono::milliseconds delay, Counter& counter);
  void serve();  // until the client has left

 private:
  bool receive();
  std::optional<std::string_view> next_line();
  void take(std::string_view line);
  void take_command(std::string_view line);
  void take_content(std::string_view line);
  bool answer();

  Fd socket_;
  std::chrono::milliseconds delay_;
  Counter& counter_;
  std::string input_, replies_;
  std::size_t read_ = 0;  // of input_
  bool in_content_ = false, is_over_ = false;
  std::optional<std::uint64_t> number_;
};

}  // namespace hikyaku::bench
