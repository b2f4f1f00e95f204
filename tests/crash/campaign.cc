// SPDX-License-Identifier: MIT
#include "tests/crash/campaign.h"

#include <iostream>

#include "daemon/base/text.h"
#include "tests/support/sim_sectors.h"

namespace hikyaku::test {
namespace {

constexpr std::uint64_t kFates = 9;          // SimDisk::after_cut(): so many seeds in a row see every pair
constexpr std::uint64_t kCutsOfAWalk = 6;    // of a random script
constexpr std::uint64_t kStepsOfALife = 40;  // about as many as an afterlife has

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) { return Dice(a * 1'000'003 + b).next(); }

}  // namespace

void Campaign::cut_everywhere(const Script& script, std::uint64_t seed) {
  Past uncut;
  std::uint64_t steps = play(script, 0, uncut);
  if (!uncut.world.complaints().empty())
    report(uncut.world, {script.name, 0, 0}, "without a cut", *uncut.disk, *uncut.disk);
  for (std::uint64_t step = 1; step <= steps && !has_seen_enough(); ++step) {
    Past past;
    play(script, step, past);
    judge(past, {script.name, step, seed}, step % kFates == seed % kFates);
  }
}

void Campaign::cut_once(const Script& script, std::uint64_t step, std::uint64_t seed) {
  Past past;
  play(script, step, past);
  judge(past, {script.name, step, seed}, true);
}

void Campaign::wander(std::uint64_t first_seed, std::chrono::steady_clock::time_point until) {
  for (std::uint64_t number = first_seed; !has_seen_enough(); ++number) {
    Script script = random_script(number);
    script.name = cat("random:", std::to_string(number));
    Past uncut;
    std::uint64_t steps = play(script, 0, uncut);
    for (std::uint64_t i = 0; i < kCutsOfAWalk; ++i) {
      if (std::chrono::steady_clock::now() >= until) return;
      std::uint64_t luck = mixed(number, i);
      cut_once(script, 1 + luck % steps, luck / steps % 1'000'000);
    }
  }
}

std::uint64_t Campaign::play(const Script& script, std::uint64_t step, Past& past) {
  past.disk->cut_power_at(step);
  Player player(loop_, past.disk, past.world);
  if (loop_.run(player.open())) loop_.run(player.play(script));
  loop_.run(player.kill());
  ++cuts_;
  return past.disk->steps();
}

void Campaign::judge(const Past& past, const Place& place, bool every_step_of_recovery) {
  std::uint64_t luck = mixed(place.step, place.seed);
  std::uint64_t steps = recover_and_live(past, place, 1 + luck % kStepsOfALife);
  if (steps == 0) return;
  std::uint64_t first = every_step_of_recovery ? 1 : 1 + luck % steps;
  std::uint64_t last = every_step_of_recovery ? steps : first;
  for (std::uint64_t step = first; step <= last && !has_seen_enough(); ++step)
    cut_recovery(past, place, step);
}

std::uint64_t Campaign::recover_and_live(const Past& past, const Place& place, std::uint64_t luck) {
  auto disk = past.disk->after_cut(place.seed);
  World world = past.world;
  std::uint64_t steps = 0;
  {
    Player player(loop_, disk, world);
    if (!loop_.run(player.open())) return report(world, place, "after the cut", *past.disk, *disk), 0;
    steps = disk->steps();
    if (world.complaints().empty()) {
      world.settle(player.found());
      disk->cut_power_at(steps + luck);
      loop_.run(player.play(afterlife(world.alive())));
    }
    loop_.run(player.kill());
  }
  if (!world.complaints().empty()) return report(world, place, "after the cut", *past.disk, *disk), steps;
  auto later = disk->after_cut(mixed(place.seed, luck));
  recover(later, world);
  if (!world.complaints().empty())
    report(world, place, cat("after a second cut ", std::to_string(luck), " steps after the recovery"), *disk,
           *later);
  return steps;
}

void Campaign::cut_recovery(const Past& past, const Place& place, std::uint64_t step) {
  auto disk = past.disk->after_cut(place.seed);
  World world = past.world;
  disk->cut_power_at(step);
  recover(disk, world);
  auto later = disk->after_cut(mixed(place.seed, step));
  recover(later, world);
  if (!world.complaints().empty())
    report(world, place, cat("after a second cut at step ", std::to_string(step), " of the recovery"), *disk,
           *later);
}

bool Campaign::recover(std::unique_ptr<SimDisk>& disk, World& world) {
  ++cuts_;
  Player player(loop_, disk, world);
  bool is_open = loop_.run(player.open());
  loop_.run(player.kill());
  return is_open;
}

void Campaign::report(const World& world, const Place& place, const std::string& what, const SimDisk& before,
                      const SimDisk& after) {
  ++failures_;
  std::cout << "FAILED " << what << "; again with: --script '" << place.script << "' --cut " << place.step
            << " --seed " << place.seed << '\n';
  for (const std::string& complaint : world.complaints()) std::cout << "  " << complaint << '\n';
  std::cout << "steps until then:\n"
            << before.log() << "\nand since:\n"
            << (&before == &after ? "" : after.log()) << '\n';
}

}  // namespace hikyaku::test
