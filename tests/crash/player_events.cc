// SPDX-License-Identifier: MIT
// What befalls the spool in a history: starts and ends, and troubles of its disk.
#include "daemon/base/text.h"
#include "tests/crash/player.h"

namespace hikyaku::test {
namespace {

constexpr Duration kConvalescence = 3s;  // the spool looks again about once a second

}  // namespace

Task<void> Player::handle(Action event) {
  switch (event.what) {
    case Do::restart: co_await reopen(true); break;
    case Do::kill: co_await reopen(false); break;
    case Do::resize: co_await resize({event.size}); break;
    case Do::rest: co_await rest(); break;
    case Do::heal: co_await heal(); break;
    case Do::vanish: co_await vanish(event.size == 1 ? "large" : "log"); break;
    default: make_trouble(event);
  }
}

void Player::make_trouble(const Action& event) {
  if (event.what == Do::rot) return rot(event.size);
  if (event.what == Do::short_writes) return disk_->set_short_writes(event.size);
  // Where a full disk has room for no new segment, one of another size goes before any can say that it is not
  // needed: a cut just then has it reported as missing.
  if (event.what == Do::fill_disk && has_resized_) return;
  bool is_only_full = event.what == Do::fill_disk && trouble_ != Trouble::other;
  trouble_ = is_only_full ? Trouble::disk_full : Trouble::other;
  switch (event.what) {
    case Do::fill_disk: return disk_->fill_up(event.size);
    case Do::use_up_inodes: return disk_->set_free_inodes(event.size);
    case Do::read_only: return disk_->set_read_only(true);
    default: break;
  }
  const Failure& failure = event.failure;
  disk_->fail_at(failure.step, failure.nth, failure.error, failure.times);
}

void Player::rot(std::uint64_t choice) {
  std::vector<std::string> files;
  for (std::string_view directory : {"log/", "large/"}) {
    auto names = disk_->list(directory.substr(0, directory.size() - 1));
    if (!names) return;
    for (const std::string& name : *names) files.push_back(cat(directory, name));
  }
  if (files.empty()) return;
  const std::string& file = files[choice % files.size()];
  std::uint64_t size = disk_->size(file);
  if (size < 16) return;
  disk_->corrupt(file, choice * 7919 % (size / 8) % 1500 * 8, "sixteen bad ones");
  world_.expect_damage();
}

// Where nothing tells which ids there were, the clock does: time must have passed.
Task<void> Player::vanish(std::string_view directory) {
  auto woken = co_await io::sleep_until(loop_, loop_.within(1h));
  check(woken == io::Woken::timeout, "nobody disturbs the wait");
  disk_->vanish(directory);
  world_.expect_damage();
  trouble_ = Trouble::other;
  has_vanished_ = true;
}

// That its directories are gone the spool learns when it uses them.
Task<void> Player::heal() {
  disk_->heal();
  if (spool_ && has_vanished_) co_await accept(kLarge);
  if (spool_ && has_vanished_) co_await accept(kBig);
  has_vanished_ = false;
  auto woken = co_await io::sleep_until(loop_, loop_.within(kConvalescence));
  check(woken == io::Woken::timeout, "nobody disturbs the wait");
  trouble_ = Trouble::none;
}

Task<void> Player::resize(ByteSize size) {
  world_.set_segment_size(size);
  has_resized_ = true;
  co_await reopen(true);
}

Task<void> Player::reopen(bool is_clean) {
  if (is_clean)
    co_await end();
  else
    co_await kill();
  auto opened = co_await open();
  if (opened) world_.settle(found_);
}

}  // namespace hikyaku::test
