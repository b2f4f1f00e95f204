// SPDX-License-Identifier: MIT
// How a chaotic smarthost speaks: replies whole, merged into one write, split, dripped byte by byte, after
// long silences, cut off, as garbage, without end. Tells the ledger what the client can know of the messages
// that were stored. Every time it waits is one of the loop's clock.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/io/loop.h"
#include "daemon/io/stream.h"
#include "tests/support/chaos/ledger.h"
#include "tests/support/chaos/mischief.h"

namespace hikyaku::test {

class ChaosVoice {
 public:
  // All outlive it. With `merges` replies wait for flush().
  ChaosVoice(io::Loop& loop, io::Stream& stream, ChaosLedger& ledger, Dice& dice, bool merges)
      : loop_(loop), stream_(stream), ledger_(ledger), dice_(dice), merges_(merges) {}

  // False, here and below: hang up. `entry`: the message of which this is the 250.
  Task<bool> say(Manner manner, std::string reply, std::optional<std::size_t> entry = {});
  Task<bool> flush();
  Task<void> rest(Duration time);
  // Rests as long as the dice want: often longer than any client waits.
  Task<void> rest_long();

  // It has been silent for longer than a client must wait for anything.
  bool is_late() const { return rested_ > 4min; }
  std::size_t endless_bytes() const { return endless_bytes_; }

 private:
  Task<bool> say_now(Manner manner, const std::string& reply);
  Task<bool> split(const std::string& reply);
  Task<bool> drip(const std::string& reply);
  Task<bool> garble();
  Task<bool> say_for_ever();
  Task<bool> write(std::string_view bytes);
  void tell(bool is_written);

  io::Loop& loop_;
  io::Stream& stream_;
  ChaosLedger& ledger_;
  Dice& dice_;
  const bool merges_;
  std::string waiting_;
  std::vector<std::size_t> entries_;  // whose 250 is in waiting_, or being written
  bool talked_nonsense_ = false;
  Duration rested_{0};
  std::size_t endless_bytes_ = 0;
};

}  // namespace hikyaku::test
