// SPDX-License-Identifier: MIT
#include <utility>

#include "tests/crash/script.h"
#include "tests/support/disk/sim_sectors.h"

namespace hikyaku::test {
namespace {

Action random_failure(Dice& dice) {
  static constexpr DiskStep kSteps[] = {DiskStep::flush,  DiskStep::flush, DiskStep::write,
                                        DiskStep::write,  DiskStep::read,  DiskStep::sync_directory,
                                        DiskStep::rename, DiskStep::create};
  static constexpr std::errc kErrors[] = {std::errc::io_error, std::errc::io_error,
                                          std::errc::no_space_on_device, std::errc::file_too_large};
  Failure failure;
  failure.step = kSteps[dice.below(std::size(kSteps))];
  failure.nth = 1 + dice.below(6);
  failure.times = dice.chance(70) ? 1 : 1 + dice.below(5);
  failure.error =
      failure.step == DiskStep::write ? kErrors[dice.below(std::size(kErrors))] : std::errc::io_error;
  return fail_step(failure);
}

Action random_trouble(Dice& dice) {
  switch (dice.below(8)) {
    case 0: return alone(Do::fill_disk, dice.chance(50) ? 0 : dice.below(kLarge));
    case 1: return alone(Do::use_up_inodes, dice.below(3));
    case 2: return alone(Do::read_only);
    case 3: return dice.chance(10) ? alone(Do::vanish, dice.below(2)) : random_failure(dice);
    default: return random_failure(dice);
  }
}

Action random_event(Dice& dice) {
  switch (dice.below(12)) {
    case 0: return alone(Do::short_writes, dice.below(100));
    case 1: return dice.chance(20) ? alone(Do::rot, dice.below(1U << 30U)) : alone(Do::kill);
    case 2:
    case 3: return alone(Do::kill);
    case 4:
    case 5: return alone(Do::restart);
    case 6: return alone(Do::rest);
    case 7: return alone(Do::heal);
    default: return random_trouble(dice);
  }
}

// Anything, in a few turns.
class Medley {
 public:
  explicit Medley(Dice& dice) : dice_(dice) {}

  Script script() {
    Script script;
    for (std::uint64_t left = 4 + dice_.below(12); left > 0; --left)
      script.turns.push_back(mails_ > 0 && dice_.chance(20) ? Turn{random_event(dice_)} : turn());
    return script;
  }

 private:
  Turn turn() {
    Turn turn;
    for (std::uint64_t i = 1 + dice_.below(4); i > 0; --i) {
      turn.push_back(action());
      mails_ += takes_an_index(turn.back().what);
    }
    return turn;
  }

  Action action() {
    static constexpr std::size_t kSizes[] = {kTiny, kTiny, kSmall, kSmall, kBig, kLarge};
    static constexpr Do kDeeds[] = {Do::progress, Do::progress, Do::finish,      Do::finish,
                                    Do::finish,   Do::bounce,   Do::bounce_part, Do::read};
    std::size_t size = kSizes[dice_.below(std::size(kSizes))];
    if (mails_ == 0 || dice_.chance(45)) return accept(size);
    std::size_t mail = dice_.below(mails_);
    if (dice_.chance(5)) return {Do::abandon, 0, size};
    if (dice_.chance(5)) return {Do::forge, mail, kSmall};
    return on(kDeeds[dice_.below(std::size(kDeeds))], mail);
  }

  static bool takes_an_index(Do what) {
    return what == Do::accept || what == Do::forge || what == Do::abandon || what == Do::bounce ||
           what == Do::bounce_part;
  }

  Dice& dice_;
  std::size_t mails_ = 0;
};

// Some mails stay, many pass by: the log turns round and round, in good days and bad.
class Carousel {
 public:
  explicit Carousel(Dice& dice)
      : dice_(dice), segment_size_(random_size(dice)), largest_(spool::content_limit(segment_size_.bytes)) {}

  Script script() {
    Script script{"", {}, segment_size_};
    Turn first;
    for (std::uint64_t left = 1 + dice_.below(5); left > 0; --left) come(first, staying_);
    script.turns.push_back(std::move(first));
    for (std::uint64_t left = 10 + dice_.below(40); left > 0; --left)
      script.turns.push_back(dice_.chance(12) ? Turn{event()} : turn());
    return script;
  }

 private:
  static ByteSize random_size(Dice& dice) {
    static constexpr ByteSize kSizes[] = {64_KiB, 64_KiB, 64_KiB, 64_KiB, 64_KiB, 96_KiB, 128_KiB, 1_MiB};
    return kSizes[dice.below(std::size(kSizes))];
  }

  Action event() {
    if (dice_.chance(5)) return alone(Do::resize, random_size(dice_).bytes);
    return is_troubled_ && dice_.chance(40) ? heal() : watched(random_event(dice_));
  }
  Action heal() {
    is_troubled_ = false;
    return alone(Do::heal);
  }
  Action watched(Action action) {
    is_troubled_ = is_troubled_ || action.what >= Do::fail;
    return action;
  }

  Turn turn() {
    Turn turn;
    std::vector<std::size_t> passing = std::exchange(passing_, {});
    for (std::uint64_t left = 1 + dice_.below(3); left > 0; --left) come(turn, passing_);
    for (std::size_t mail : passing) leave(turn, mail);
    for (std::size_t& mail : staying_) live(turn, mail);
    return turn;
  }

  void come(Turn& turn, std::vector<std::size_t>& mails) {
    bool is_large = dice_.chance(5);
    turn.push_back(accept(is_large ? largest_ + 1 : dice_.below(largest_ - 1000)));
    mails.push_back(mails_++);
  }

  void leave(Turn& turn, std::size_t mail) {
    if (dice_.chance(10))
      passing_.push_back(mail);
    else
      turn.push_back(on(Do::finish, mail));
  }

  void live(Turn& turn, std::size_t& mail) {
    if (dice_.chance(30)) turn.push_back({Do::progress, mail, dice_.chance(20) ? dice_.below(2000) : 0});
    if (dice_.chance(5)) turn.push_back(on(Do::read, mail));
    if (!dice_.chance(5)) return;
    turn.push_back(on(Do::finish, mail));
    turn.push_back(accept(dice_.below(kSmall)));
    mail = mails_++;
  }

  Dice& dice_;
  ByteSize segment_size_;
  std::size_t largest_;
  std::size_t mails_ = 0;
  bool is_troubled_ = false;
  std::vector<std::size_t> staying_;
  std::vector<std::size_t> passing_;
};

}  // namespace

Script random_script(std::uint64_t seed) {
  Dice dice(seed);
  return dice.chance(40) ? Medley(dice).script() : Carousel(dice).script();
}

}  // namespace hikyaku::test
