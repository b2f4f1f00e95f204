// SPDX-License-Identifier: MIT
// Plays a script on a real Spool over a simulated disk, as an app and a relay would: awaits what a contract
// says to await, and writes down in the world what it has been promised. While nothing is wrong with the
// disk, nothing may fail. When the power goes off everything fails and the play ends; the spool is then
// dropped as a dead process would leave it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "daemon/io/loop.h"
#include "daemon/io/nursery.h"
#include "spool/spool.h"
#include "tests/crash/script.h"
#include "tests/crash/world.h"
#include "tests/support/disk/sim_disk.h"

namespace hikyaku::test {

class Player {
 public:
  // `disk` is replaced by what a kill leaves of it. Before the player goes the script has ended well or
  // kill() has.
  Player(io::Loop& loop, std::unique_ptr<SimDisk>& disk, World& world)
      : loop_(loop), disk_(disk), world_(world) {}
  // kill -9: the spool is dropped, the disk is as that leaves it.
  Task<void> kill();

  // Opens the spool and compares what it holds with the world. False if the power went off.
  Task<bool> open();
  // What the latest open() found.
  const std::vector<FoundMail>& found() const { return found_; }
  // Until the spool has done its chores; then its log has a bound.
  Task<void> rest();
  // The turns of the script, then a clean end; or as far as the power lasts.
  Task<void> play(Script script);

 private:
  enum class Trouble { none, disk_full, other };

  Task<void> play_turn(Turn turn);
  Task<void> act(Action action);
  Task<void> end();
  Task<void> try_to_open();
  Task<void> look();
  void compare_large_files();  // none that no mail has
  void compare_log_size();

  // player_events.cc
  Task<void> handle(Action event);
  void make_trouble(const Action& event);
  void rot(std::uint64_t choice);
  Task<void> vanish(std::string_view directory);
  Task<void> heal();
  Task<void> resize(ByteSize size);
  Task<void> reopen(bool is_clean);

  // player_deeds.cc
  Task<void> accept(std::size_t size);
  Task<void> forge(Action action);
  Task<void> abandon(std::size_t size);
  Task<void> progress(std::size_t index, std::size_t size, bool failed);
  Task<void> finish(std::size_t index);
  Task<void> bounce(std::size_t index, bool of_whole_mail);
  Task<void> read(std::size_t index);
  // The index of a mail that was submitted, whether or not it was acknowledged; none if the spool took none.
  Task<std::optional<std::size_t>> submit(std::size_t index);
  Task<std::unique_ptr<mail::MailWriter>> write(std::size_t index);
  Task<std::optional<FoundMail>> fetch(mail::MailId id);
  std::nullopt_t unreadable(mail::MailId id, const mail::SourceError& error);
  void complain_unless(bool is_excused, std::string_view what, const std::string& why);
  void refused(const std::string& why) {
    complain_unless(trouble_ != Trouble::none, "a mail is refused", why);
  }
  void not_recorded(std::size_t index, const std::string& why);

  io::Loop& loop_;
  std::unique_ptr<SimDisk>& disk_;
  World& world_;
  Trouble trouble_ = Trouble::none;
  bool has_vanished_ = false;
  bool has_resized_ = false;
  std::unique_ptr<spool::Spool> spool_;
  std::vector<FoundMail> found_;
};

}  // namespace hikyaku::test
