// SPDX-License-Identifier: MIT
#include "tests/crash/script.h"

namespace hikyaku::test {
namespace {

// Builds a history and counts its mails.
class History {
 public:
  explicit History(std::string name, ByteSize segment_size = spool::kMinSegment)
      : script_{std::move(name), {}, segment_size} {}

  std::size_t mails() const { return mails_; }
  void turn(Turn turn) {
    for (const Action& action : turn) mails_ += action.what == Do::accept ? 1U : 0U;
    script_.turns.push_back(std::move(turn));
  }
  // Two big mails come, the two before them go, and `beside` happens: in every other turn the log goes on by
  // a segment.
  void pass(Turn beside = {}) {
    for (std::size_t mail : passing_) beside.push_back(on(Do::finish, mail));
    passing_ = {mails_, mails_ + 1};
    beside.insert(beside.begin(), {accept(kBig), accept(kBig)});
    turn(std::move(beside));
  }
  Script script() && { return std::move(script_); }

 private:
  Script script_;
  std::size_t mails_ = 0;
  std::vector<std::size_t> passing_;
};

Script one_stays() {
  History history("the log turns round while one mail stays");
  history.turn({accept(kSmall)});
  for (int i = 0; i < 5; ++i) {
    history.pass();
    history.pass({on(Do::progress, 0)});
  }
  return std::move(history).script();
}

Script several_stay() {
  History history("several stay, one of them large");
  history.turn({accept(kSmall), accept(kLarge), accept(kTiny), accept(kBig)});
  for (std::size_t i = 0; i < 4; ++i) {
    history.pass({on(Do::progress, i)});
    history.pass();
  }
  history.turn({on(Do::bounce_part, 0), on(Do::finish, 1)});
  return std::move(history).script();
}

// In each turn something becomes of one of them: also in those in which it is just copied.
Script ends_while_copied() {
  History history("mails go on and end while they are copied");
  Turn stayers;
  for (std::size_t i = 0; i < 16; ++i) stayers.push_back(accept(kTiny));
  history.turn(stayers);
  for (std::size_t i = 0; i < 16; i += 2)
    history.pass({on(Do::finish, i), on(Do::progress, i + 1), on(Do::progress, (i + 6) % 16)});
  return std::move(history).script();
}

Script flushes_fail() {
  History history("flushes fail while mails are copied");
  history.turn({accept(kSmall), accept(kTiny), accept(kTiny), accept(kLarge)});
  for (std::size_t i = 0; i < 5; ++i) {
    history.turn({fail_step({DiskStep::flush, 1 + i * 3 % 7})});
    history.pass({on(Do::progress, i % 4)});
    history.pass({on(i == 3 ? Do::finish : Do::progress, 1 + i % 3)});
  }
  return std::move(history).script();
}

Script writes_fail() {
  History history("writes and renames fail while the log turns round");
  history.turn({accept(kSmall), accept(kTiny)});
  static constexpr DiskStep kSteps[] = {DiskStep::write,  DiskStep::rename, DiskStep::sync_directory,
                                        DiskStep::create, DiskStep::read,   DiskStep::unlink};
  for (std::size_t i = 0; i < std::size(kSteps); ++i) {
    history.turn({fail_step({kSteps[i], 1 + i % 2})});
    history.pass({on(Do::progress, i % 2)});
    history.pass();
  }
  return std::move(history).script();
}

// What becomes of mails fills segment after segment while no file can grow.
Script full_disk() {
  History history("the disk is full and the log turns round");
  history.turn({accept(kSmall), accept(kTiny), accept(kTiny)});
  history.pass();
  history.turn({alone(Do::rest)});
  history.turn({alone(Do::fill_disk)});
  for (std::size_t i = 0; i < 20; ++i)
    history.turn(
        {{Do::progress, i % 2, 900}, {Do::progress, (i + 1) % 2, 900}, accept(i == 5 ? kLarge : kBig)});
  history.turn({on(Do::finish, 0), on(Do::finish, 3)});
  history.turn({alone(Do::heal)});
  history.pass();
  return std::move(history).script();
}

Script restarts() {
  History history("starts and kills while the log turns round");
  history.turn({accept(kSmall), accept(kTiny), accept(kLarge)});
  for (std::size_t i = 0; i < 4; ++i) {
    history.pass({on(Do::progress, i % 2)});
    history.pass();
    history.turn({alone(i % 2 == 0 ? Do::kill : Do::restart)});
  }
  return std::move(history).script();
}

Script resized() {
  History history("segments get another size");
  history.turn({accept(kSmall), accept(kTiny)});
  for (std::size_t size : {131'072U, 65'536U, 98'304U}) {
    history.pass({on(Do::progress, 0)});
    history.pass();
    history.turn({alone(Do::resize, size)});
  }
  history.pass();
  return std::move(history).script();
}

Script rotten() {
  History history("the medium rots under what must be copied");
  history.turn({accept(kSmall), accept(kTiny), accept(kBig)});
  history.turn({alone(Do::rot, 4'000'000)});
  history.pass();
  history.turn({alone(Do::rot, 9'000'001)});
  history.turn({accept(kTiny), on(Do::progress, 0)});
  history.pass();
  history.pass({on(Do::progress, 1)});
  history.turn({alone(Do::rot, 123'457)});
  history.pass();
  history.pass();
  return std::move(history).script();
}

}  // namespace

std::vector<Script> ring_scripts() {
  return {one_stays(), several_stay(), ends_while_copied(), flushes_fail(), writes_fail(),
          full_disk(), restarts(),     resized(),           rotten()};
}

Script long_script() {
  History history("thousands of mails pass by a few");
  history.turn({accept(kSmall), accept(kLarge), accept(kTiny), accept(kBig)});
  for (std::size_t i = 0; i < 1000; ++i) {
    history.pass(i % 20 == 7 ? Turn{{Do::progress, i % 4, i}} : Turn{});
    history.turn({accept(kTiny), accept(kSmall)});
    history.turn({on(Do::finish, history.mails() - 1), on(Do::finish, history.mails() - 2)});
    if (i % 10 == 9) history.turn({alone(Do::rest)});
    if (i % 100 == 99) history.turn({alone(i % 200 == 99 ? Do::kill : Do::restart)});
  }
  return std::move(history).script();
}

}  // namespace hikyaku::test
