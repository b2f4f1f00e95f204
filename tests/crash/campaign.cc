// SPDX-License-Identifier: MIT
#include "tests/crash/campaign.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <set>

#include "daemon/base/text.h"
#include "spool/segment_file.h"
#include "tests/support/disk/sim_sectors.h"

namespace hikyaku::test {
namespace {

constexpr std::uint64_t kFates = 9;            // SimDisk::after_cut(): so many seeds in a row see every pair
constexpr std::uint64_t kCutsOfAWalk = 6;      // of a random script
constexpr std::uint64_t kCutsOfARecovery = 2;  // of each recovery, where not all are tried
constexpr std::uint64_t kAll = ~std::uint64_t{0};
constexpr std::uint64_t kStepsOfALife = 70;  // about as many as an afterlife has

// The fate goes on by one from step to step, so that each step has its turn; the block of nine shifts it, so
// that the recoveries that are cut everywhere are spread evenly over the parts.
bool is_in(const Share& share, std::uint64_t step, std::uint64_t seed) {
  return (step + step / kFates + seed + share.first) % share.parts == 0;
}

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) { return Dice(a * 1'000'003 + b).next(); }

}  // namespace

void Campaign::cut_everywhere(const Script& script, std::uint64_t seed, const Share& share) {
  std::uint64_t steps = count_steps(script);
  steps_seen_ += steps;
  for (std::uint64_t step = 1; step <= steps && !has_seen_enough(); ++step) {
    if (!is_in(share, step, seed)) continue;
    ++steps_cut_;
    judge(play_until(script, step), {script.name, step, seed}, step % kFates == seed % kFates ? kAll : 1);
  }
}

void Campaign::cut_once(const Script& script, std::uint64_t step, std::uint64_t seed) {
  judge(play_until(script, step), {script.name, step, seed}, kAll);
}

void Campaign::play_through(const Script& script) { (void)count_steps(script); }

// One play gives all the cuts: what the disk and the world were like is copied as it goes by.
void Campaign::wander(std::uint64_t number) {
  Script script = random_script(number);
  script.name = cat("random:", std::to_string(number));
  std::uint64_t steps = count_steps(script);
  std::set<std::uint64_t> where;
  for (std::uint64_t i = 0; i < kCutsOfAWalk; ++i) where.insert(1 + mixed(number, i) % steps);
  std::map<std::uint64_t, Past> pasts;
  Past past;
  past.disk->photograph_at(where, [&](std::uint64_t step, std::unique_ptr<SimDisk> disk) {
    pasts.emplace(step, Past{std::move(disk), past.world});
  });
  play(script, past);
  for (const auto& [step, cut] : pasts)
    if (!has_seen_enough())
      judge(cut, {script.name, step, mixed(number, step) % 1'000'000}, kCutsOfARecovery);
}

std::uint64_t Campaign::play(const Script& script, Past& past) {
  past.world.set_segment_size(script.segment_size);
  Player player(loop_, past.disk, past.world);
  if (loop_.run(player.open())) loop_.run(player.play(script));
  loop_.run(player.kill());
  ++cuts_;
  return past.disk->steps();
}

Campaign::Past Campaign::play_until(const Script& script, std::uint64_t step) {
  Past past;
  past.disk->cut_power_at(step);
  play(script, past);
  return past;
}

std::uint64_t Campaign::count_steps(const Script& script) {
  Past past;
  std::uint64_t steps = play(script, past);
  if (!past.world.complaints().empty())
    report(past.world, {script.name, 0, 0}, "without a cut", *past.disk, *past.disk);
  return steps;
}

void Campaign::judge(const Past& past, const Place& place, std::uint64_t cuts_of_recovery) {
  std::uint64_t luck = mixed(place.step, place.seed);
  std::uint64_t steps = recover_and_live(past, place, 1 + luck % kStepsOfALife);
  for (std::uint64_t i = 0; i < std::min(cuts_of_recovery, steps) && !has_seen_enough(); ++i)
    cut_recovery(past, place, 1 + (luck + i * (steps / cuts_of_recovery + 1)) % steps);
}

std::uint64_t Campaign::recover_and_live(const Past& past, const Place& place, std::uint64_t luck) {
  World world = past.world;
  auto disk = after_cut(*past.disk, place.seed, world);
  std::uint64_t steps = 0;
  {
    Player player(loop_, disk, world);
    if (!loop_.run(player.open())) return report(world, place, "after the cut", *past.disk, *disk), 0;
    loop_.run(player.rest());
    steps = disk->steps();
    if (world.complaints().empty()) {
      world.settle(player.found());
      disk->cut_power_at(steps + luck);
      loop_.run(player.play(afterlife(world.alive(), world.size())));
    }
    loop_.run(player.kill());
  }
  if (!world.complaints().empty()) return report(world, place, "after the cut", *past.disk, *disk), steps;
  auto later = after_cut(*disk, mixed(place.seed, luck), world);
  recover(later, world);
  if (!world.complaints().empty())
    report(world, place, cat("after a second cut ", std::to_string(luck), " steps after the recovery"), *disk,
           *later);
  return steps;
}

void Campaign::cut_recovery(const Past& past, const Place& place, std::uint64_t step) {
  World world = past.world;
  auto disk = after_cut(*past.disk, place.seed, world);
  disk->cut_power_at(step);
  recover(disk, world);
  auto later = after_cut(*disk, mixed(place.seed, step), world);
  recover(later, world);
  if (!world.complaints().empty())
    report(world, place, cat("after a second cut at step ", std::to_string(step), " of the recovery"), *disk,
           *later);
}

bool Campaign::recover(std::unique_ptr<SimDisk>& disk, World& world) {
  ++cuts_;
  Player player(loop_, disk, world);
  bool is_open = loop_.run(player.open());
  if (is_open) loop_.run(player.rest());
  loop_.run(player.kill());
  return is_open;
}

std::unique_ptr<SimDisk> Campaign::after_cut(const SimDisk& disk, std::uint64_t seed, World& world) {
  auto left = disk.after_cut(seed);
  auto names = left->list("log");
  for (const std::string& name : names ? *names : std::vector<std::string>()) {
    if (name.ends_with(".new")) continue;  // was never flushed: old blocks, which recovery removes unread
    std::string path = cat("log/", name);
    auto file = left->open_for_reading(path);
    auto decoded = spool::read_segment_header(**file);
    if (decoded.verdict == spool::HeaderVerdict::ok && decoded.header.state == spool::SegmentState::in_use &&
        spool::segment_path(decoded.header.number) != path)
      world.complain(cat(path, " is segment ", std::to_string(decoded.header.number), ", in use"));
  }
  return left;
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
