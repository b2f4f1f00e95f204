// SPDX-License-Identifier: MIT
#include "tests/crash/script.h"

#include "tests/support/sim_sectors.h"

namespace hikyaku::test {
namespace {

constexpr std::size_t kTiny = 200;      // the record ends in its first sector
constexpr std::size_t kSmall = 3000;    // several sectors
constexpr std::size_t kBig = 14'000;    // three of them fill a segment of 64 KiB
constexpr std::size_t kLarge = 70'000;  // a file of its own

Action accept(std::size_t size) { return {Do::accept, 0, size}; }
Action on(Do what, std::size_t mail) { return {what, mail, 0}; }
Action alone(Do what, std::size_t size = 0) { return {what, 0, size}; }

Action random_action(Dice& dice, std::size_t mails) {
  static constexpr std::size_t kSizes[] = {kTiny, kTiny, kSmall, kSmall, kBig, kLarge};
  static constexpr Do kDeeds[] = {Do::progress, Do::progress, Do::finish,      Do::finish,
                                  Do::finish,   Do::bounce,   Do::bounce_part, Do::read};
  std::size_t size = kSizes[dice.below(std::size(kSizes))];
  if (mails == 0 || dice.chance(45)) return accept(size);
  std::size_t mail = dice.below(mails);
  if (dice.chance(5)) return {Do::abandon, 0, size};
  if (dice.chance(5)) return {Do::forge, mail, kSmall};
  return on(kDeeds[dice.below(std::size(kDeeds))], mail);
}

Action random_event(Dice& dice) {
  switch (dice.below(9)) {
    case 0: return alone(Do::fail_flush, 1 + dice.below(3));
    case 1: return alone(Do::fail_write, 1 + dice.below(3));
    case 2: return alone(Do::short_writes, dice.below(100));
    case 3: return alone(Do::fill_disk, dice.below(kLarge));
    case 4: return alone(Do::free_disk);
    case 5: return alone(Do::kill);
    case 6: return dice.chance(30) ? alone(Do::rot, dice.below(1U << 30U)) : alone(Do::kill);
    default: return alone(Do::restart);
  }
}

bool takes_an_index(Do what) {
  return what == Do::accept || what == Do::forge || what == Do::abandon || what == Do::bounce ||
         what == Do::bounce_part;
}

std::vector<Script> make_scripts() {
  std::vector<Script> all;
  all.push_back({"one small mail to its end",
                 {{accept(kSmall)}, {on(Do::progress, 0)}, {on(Do::read, 0)}, {on(Do::finish, 0)}}});
  all.push_back({"several mails share a flush",
                 {{accept(kTiny), accept(kSmall), accept(kTiny), accept(kBig)},
                  {on(Do::finish, 1), on(Do::progress, 0), accept(kSmall)},
                  {on(Do::progress, 0), on(Do::finish, 2), on(Do::progress, 3)},
                  {on(Do::finish, 0), on(Do::progress, 3), {Do::abandon, 0, kSmall}}}});
  all.push_back({"large bodies",
                 {{accept(kLarge)},
                  {accept(kLarge), accept(kSmall)},
                  {on(Do::progress, 0), {Do::abandon, 0, kLarge}},
                  {on(Do::finish, 0)},
                  {on(Do::finish, 1), accept(kLarge)}}});
  all.push_back({"failure of a whole mail and of a part",
                 {{accept(kSmall), accept(kSmall), accept(kTiny)},
                  {on(Do::bounce, 0)},
                  {on(Do::bounce_part, 1), accept(kSmall)},
                  {on(Do::bounce, 2), on(Do::progress, 1)},
                  {on(Do::finish, 3), on(Do::bounce, 1)}}});
  all.push_back({"segments roll over and the oldest goes",
                 {{accept(kBig), accept(kBig), accept(kBig)},
                  {accept(kBig), accept(kBig)},
                  {on(Do::finish, 0), on(Do::finish, 1), on(Do::finish, 2)},
                  {on(Do::finish, 3), on(Do::finish, 4), accept(kBig)},
                  {accept(kBig), accept(kBig)},
                  {on(Do::finish, 6), accept(kTiny)}}});
  all.push_back({"restart",
                 {{accept(kSmall), accept(kLarge)},
                  {on(Do::progress, 0)},
                  {alone(Do::restart)},
                  {on(Do::progress, 0), accept(kSmall)},
                  {on(Do::finish, 1), on(Do::finish, 2)},
                  {alone(Do::restart)},
                  {on(Do::finish, 0), accept(kTiny)}}});
  all.push_back({"kill and start again",
                 {{accept(kSmall), accept(kTiny)},
                  {on(Do::progress, 0), on(Do::finish, 1)},
                  {alone(Do::kill)},
                  {accept(kSmall), on(Do::progress, 0)},
                  {alone(Do::kill)},
                  {on(Do::finish, 0), accept(kTiny)}}});
  all.push_back({"a flush fails",
                 {{accept(kSmall)},
                  {alone(Do::fail_flush, 1)},
                  {accept(kSmall), on(Do::progress, 0)},
                  {accept(kTiny)},
                  {alone(Do::fail_flush, 1)},
                  {on(Do::finish, 1)},
                  {on(Do::finish, 2), accept(kSmall)}}});
  all.push_back({"a segment breaks in which nothing lives",
                 {{accept(kSmall)},
                  {on(Do::finish, 0)},
                  {alone(Do::fail_write, 1)},
                  {accept(kSmall)},
                  {on(Do::finish, 1), accept(kSmall)}}});
  all.push_back({"a write fails, others are short",
                 {{accept(kSmall)},
                  {alone(Do::fail_write, 1)},
                  {accept(kSmall), on(Do::progress, 0)},
                  {alone(Do::short_writes, 7)},
                  {accept(kBig), accept(kSmall)},
                  {on(Do::finish, 0), accept(kTiny)}}});
  all.push_back({"the disk is full for a while",
                 {{accept(kSmall), accept(kSmall)},
                  {alone(Do::fill_disk, 1000)},
                  {accept(kBig), on(Do::progress, 0)},
                  {accept(kLarge), on(Do::finish, 1)},
                  {alone(Do::free_disk)},
                  {accept(kSmall)},
                  {on(Do::finish, 0)}}});
  all.push_back({"a sender forges records",
                 {{accept(kTiny)},
                  {on(Do::progress, 0)},
                  {{Do::forge, 0, kSmall}},
                  {accept(kTiny), {Do::forge, 0, kSmall}},
                  {{Do::forge, 1, kBig}, on(Do::progress, 0)}}});
  all.push_back({"the medium rots",
                 {{accept(kSmall), accept(kBig), accept(kLarge)},
                  {on(Do::progress, 0), on(Do::progress, 1), on(Do::progress, 2)},
                  {alone(Do::rot, 12'345)},
                  {on(Do::read, 0), on(Do::read, 1), on(Do::read, 2)},
                  {alone(Do::kill)},
                  {alone(Do::rot, 77'777)},
                  {alone(Do::rot, 5'000'000)},
                  {alone(Do::restart)},
                  {accept(kSmall), on(Do::read, 2)}}});
  return all;
}

}  // namespace

const std::vector<Script>& scripts() {
  static const std::vector<Script> all = make_scripts();
  return all;
}

Script random_script(std::uint64_t seed) {
  Dice dice(seed);
  Script script{"random", {}};
  std::size_t mails = 0;
  for (std::uint64_t left = 4 + dice.below(12); left > 0; --left) {
    Turn turn;
    if (mails > 0 && dice.chance(20)) turn.push_back(random_event(dice));
    for (std::uint64_t i = turn.empty() ? 1 + dice.below(4) : 0; i > 0; --i) {
      turn.push_back(random_action(dice, mails));
      mails += takes_an_index(turn.back().what);
    }
    script.turns.push_back(std::move(turn));
  }
  return script;
}

Script afterlife(const std::vector<std::size_t>& alive) {
  Script script{"afterlife", {{accept(kSmall), accept(kTiny)}, {accept(kSmall)}}};
  for (std::size_t i = 0; i < alive.size(); ++i)
    script.turns[i % 2].push_back(on(i % 3 == 0   ? Do::finish
                                     : i % 3 == 1 ? Do::progress
                                                  : Do::bounce,
                                     alive[i]));
  return script;
}

}  // namespace hikyaku::test
