// SPDX-License-Identifier: MIT
// Cuts the power at every step of a history, in several ways each, and again in what follows: in the recovery
// from that cut, and in the life after it. Every recovered spool is compared with the world as it was told.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "daemon/io/loop.h"
#include "tests/crash/player.h"

namespace hikyaku::test {

// One of so many parts of all cuts. In each, every step of a history is cut in about the same number of its
// fates: in one of nine where there are nine parts. `first` says which; histories side by side take different
// ones.
struct Share {
  std::uint64_t parts = 1;
  std::uint64_t first = 0;
};

class Campaign {
 public:
  // Stops after so many failures: then the picture is clear.
  Campaign(io::Loop& loop, std::uint64_t max_failures) : loop_(loop), max_failures_(max_failures) {}

  // Every step of the script that is in the share, one fate each.
  void cut_everywhere(const Script& script, std::uint64_t seed, const Share& share);
  // One step of it, one fate.
  void cut_once(const Script& script, std::uint64_t step, std::uint64_t seed);
  // Plays it to its end.
  void play_through(const Script& script);
  // The random script of this number, cut at a few random steps.
  void wander(std::uint64_t number);

  bool has_failed() const { return failures_ > 0; }
  bool has_seen_enough() const { return failures_ >= max_failures_; }
  std::uint64_t cuts() const { return cuts_; }
  // Of all steps in all their fates: how many were to be cut, and how many were.
  std::uint64_t steps_seen() const { return steps_seen_; }
  std::uint64_t steps_cut() const { return steps_cut_; }

 private:
  struct Past {  // how a history ended
    std::unique_ptr<SimDisk> disk = std::make_unique<SimDisk>();
    World world;
  };
  struct Place {
    std::string script;
    std::uint64_t step;
    std::uint64_t seed;
  };

  // Plays the script on past.disk. The number of steps it took.
  std::uint64_t play(const Script& script, Past& past);
  // The same on a new disk until the power goes off at `step`.
  Past play_until(const Script& script, std::uint64_t step);
  // How many steps the whole script takes; reports what goes wrong without any cut.
  std::uint64_t count_steps(const Script& script);
  // Recovers from the cut, and from further ones: in the life after it, and at so many steps of the recovery.
  void judge(const Past& past, const Place& place, std::uint64_t cuts_of_recovery);
  // Recovers, lives on for a while, is cut `luck` steps after the recovery or ends well, recovers again. The
  // number of steps that the first recovery took.
  std::uint64_t recover_and_live(const Past& past, const Place& place, std::uint64_t luck);
  // Is cut at `step` of the recovery, recovers from that.
  void cut_recovery(const Past& past, const Place& place, std::uint64_t step);
  bool recover(std::unique_ptr<SimDisk>& disk, World& world);
  // As recovery finds it. No segment in use under a foreign name: it is durable before the first record.
  std::unique_ptr<SimDisk> after_cut(const SimDisk& disk, std::uint64_t seed, World& world);
  void report(const World& world, const Place& place, const std::string& what, const SimDisk& before,
              const SimDisk& after);

  io::Loop& loop_;
  std::uint64_t max_failures_;
  std::uint64_t cuts_ = 0;
  std::uint64_t steps_seen_ = 0;
  std::uint64_t steps_cut_ = 0;
  std::uint64_t failures_ = 0;
};

}  // namespace hikyaku::test
