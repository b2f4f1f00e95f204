// SPDX-License-Identifier: MIT
#include "tests/crash/player.h"

#include <algorithm>

#include "daemon/base/text.h"

namespace hikyaku::test {
namespace {

constexpr int kPatience = 4;

spool::SpoolOptions options(ByteSize segment_size) {
  return {.min_free = {0},
          .segment_size = segment_size,
          .memory = 1_MiB,
          .committer = spool::CommitterMode::inline_on_loop};
}

}  // namespace

Task<bool> Player::open() {
  co_await try_to_open();
  // A trouble may hit the start, too; whoever is told so mends it and starts the daemon again.
  if (!spool_ && trouble_ != Trouble::none) {
    co_await heal();
    co_await try_to_open();
  }
  // What could not be read passes for damage; it is still there for the next start.
  if (spool_ && trouble_ == Trouble::other && !spool_->reports().empty()) {
    co_await end();
    co_await heal();
    co_await try_to_open();
  }
  if (disk_->is_off() || !spool_) co_return false;
  co_await look();
  co_return true;
}

Task<void> Player::try_to_open() {
  for (int i = 0; i < kPatience && !spool_ && !disk_->is_off(); ++i) {
    auto opened = co_await spool::Spool::open(loop_, *disk_, options(world_.segment_size()));
    if (opened) spool_ = std::move(*opened);
    if (!opened)
      complain_unless(trouble_ != Trouble::none, "the spool cannot be opened", opened.error().text);
  }
}

Task<void> Player::rest() {
  // Simulated time goes on when nobody has anything to do.
  auto woken = co_await io::sleep_until(loop_, loop_.within(1us));
  check(woken == io::Woken::timeout, "nobody disturbs a rest");
  if (trouble_ == Trouble::none && !disk_->is_off()) compare_log_size();
}

Task<void> Player::play(Script script) {
  for (const Turn& turn : script.turns) {
    if (!spool_ || disk_->is_off()) co_return;
    co_await play_turn(turn);
  }
  if (!spool_ || disk_->is_off()) co_return;
  if (trouble_ != Trouble::none) co_await heal();
  co_await accept(kTiny);
  co_await rest();
  co_await end();
}

Task<void> Player::kill() {
  auto left = disk_->after_kill();
  disk_->cut_power();  // what the dying spool still tries reaches nothing
  if (spool_) co_await end();
  disk_ = std::move(left);
}

Task<void> Player::end() {
  co_await spool_->close();
  spool_.reset();
}

Task<void> Player::play_turn(Turn turn) {
  io::Nursery nursery(loop_);
  for (const Action& action : turn) nursery.spawn(act(action));
  auto woken = co_await nursery.drained({});
  check(woken == io::Woken::ready, "the turn ended");
}

Task<void> Player::act(Action action) {
  switch (action.what) {
    case Do::accept: return accept(action.size);
    case Do::forge: return forge(action);
    case Do::abandon: return abandon(action.size);
    case Do::progress: return progress(action.mail, action.size, false);
    case Do::finish: return finish(action.mail);
    case Do::bounce: return bounce(action.mail, true);
    case Do::bounce_part: return bounce(action.mail, false);
    case Do::read: return read(action.mail);
    default: return handle(action);
  }
}

Task<void> Player::look() {
  found_.clear();
  for (const mail::QueueEntry& entry : spool_->entries()) {
    std::optional<FoundMail> found;
    for (int i = 0; i < kPatience && !found; ++i) found = co_await fetch(entry.id);
    if (found) found_.push_back(std::move(*found));
  }
  if (disk_->is_off()) co_return;
  world_.compare(found_);
  compare_large_files();
  if (world_.is_damaged()) co_return;
  for (const spool::DamageReport& report : spool_->reports())
    world_.complain(cat("reported damage: ", to_line(report)));
}

void Player::compare_large_files() {
  auto names = disk_->list("large");
  auto wanted = std::ranges::count_if(found_, [](const FoundMail& one) {
    return one.content.size() > spool::content_limit(spool::kMinSegment.bytes);
  });
  if (!world_.is_damaged() && names && names->size() > static_cast<std::size_t>(wanted))
    world_.complain(
        cat(std::to_string(names->size()), " large bodies for ", std::to_string(wanted), " mails"));
}

void Player::compare_log_size() {
  auto names = disk_->list("log");
  auto large_files = disk_->list("large");
  if (!names || !large_files) return;
  std::uint64_t bytes = 0, largest = world_.segment_size().bytes;
  for (const std::string& name : *names) {
    std::uint64_t size = disk_->size(cat("log/", name));
    bytes += size;
    largest = std::max(largest, size);
  }
  std::uint64_t live = world_.live_bytes(spool_->entries(), *large_files);
  if (bytes > 3 * live + 2 * largest)
    world_.complain(cat("the log takes ", std::to_string(bytes), " bytes for ", std::to_string(live),
                        " live ones: ", join(*names, " ")));
}

}  // namespace hikyaku::test
