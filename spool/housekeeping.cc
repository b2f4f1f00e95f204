// SPDX-License-Identifier: MIT
#include "spool/housekeeping.h"

#include <algorithm>
#include <utility>

#include "daemon/base/error.h"

namespace hikyaku::spool {
namespace {

Result<void, DiskError> rewrite_header(DiskFile& file, const SegmentHeader& header) {
  auto written = write_segment_header(file, header.size, encode_segment_header(header));
  return written ? file.flush() : written;
}

}  // namespace

Housekeeping::Housekeeping(io::Loop& loop, Disk& disk, Index& index, Workers& workers, Copier& copier,
                           Ring& ring, io::Event& appended)
    : loop_(loop),
      disk_(disk),
      index_(index),
      workers_(workers),
      copier_(copier),
      ring_(ring),
      appended_(appended),
      nursery_(loop) {}

Housekeeping::~Housekeeping() { check(nursery_.size() == 0, "the ring's chores went without close()"); }

void Housekeeping::start() { nursery_.spawn(run()); }

Task<void> Housekeeping::close() {
  no_more_chores_.request();
  io::Woken drained = co_await nursery_.drained({});
  check(drained == io::Woken::ready, "chores end when they are told to");
  ring_.close_active();
  while (co_await write_oldest_footer() == ChoreOutcome::done) continue;
}

Task<void> Housekeeping::run() {
  while (!no_more_chores_.is_requested()) {
    ChoreOutcome outcome = co_await next_chore();
    ring_.end_chore(outcome);
    if (outcome == ChoreOutcome::failed)
      co_await io::sleep_until(loop_, loop_.within(kAfterFailure, &no_more_chores_));
    if (outcome == ChoreOutcome::nothing_to_do) co_await ring_.wait_for_chore(no_more_chores_);
  }
}

Task<ChoreOutcome> Housekeeping::no_chore() { co_return ChoreOutcome::nothing_to_do; }

Task<ChoreOutcome> Housekeeping::next_chore() {
  switch (ring_.begin_chore()) {
    case RingChore::reclaim: return reclaim();
    case RingChore::remove: return remove_oldest();
    case RingChore::use_spare: return use_spare();
    case RingChore::prepare: return prepare();
    case RingChore::drop_ready: return drop_ready();
    case RingChore::drop_spare: return drop_spare();
    case RingChore::write_footer: return write_oldest_footer();
    case RingChore::copy: return copy();
    case RingChore::none: break;
  }
  return no_chore();
}

// After a failure the disk is tried again after a while; what can be done without it is done at once.
Task<ChoreOutcome> Housekeeping::prepare() {
  SegmentHeader header = ring_.next_header();
  ring_.stock().add(co_await workers_.run([&] {
    auto segment = prepare_segment(disk_, header);
    bool is_gone = !segment && segment.error().kind == std::errc::no_such_file_or_directory;
    if (is_gone) remake_directories();
    return segment;
  }));
  co_return ChoreOutcome::done;
}

// Somebody has removed the spool's directories. What was in them is gone; what comes can be kept again.
void Housekeeping::remake_directories() {
  auto made = make_directories(disk_);
  auto lock = disk_.lock("lock");
  if (made && lock) second_lock_ = std::move(*lock);
}

Task<ChoreOutcome> Housekeeping::use_spare() {
  std::string path = ring_.stock().take_spare();
  SegmentHeader header = ring_.next_header();
  auto made = co_await workers_.run([&] { return recycle_segment(disk_, path, header); });
  if (!made && made.error().kind != std::errc::no_such_file_or_directory)
    ring_.stock().add_spare(std::move(path));
  ring_.stock().add(std::move(made));
  co_return ChoreOutcome::done;
}

// A segment that may have lost its name is not written to: if its file cannot be deleted, it is a spare file.
Task<ChoreOutcome> Housekeeping::drop_ready() {
  SegmentPtr segment = ring_.stock().take_first();
  auto done = co_await workers_.run([&] { return delete_segment(disk_, segment->header.number); });
  if (!done) ring_.stock().add_spare(segment_path(segment->header.number));
  co_return done ? ChoreOutcome::done : ChoreOutcome::failed;
}

Task<ChoreOutcome> Housekeeping::drop_spare() {
  std::string path = ring_.stock().take_spare();
  auto done = co_await workers_.run([&] { return disk_.unlink(path); });
  bool is_gone = done || done.error().kind == std::errc::no_such_file_or_directory;
  if (!is_gone) ring_.stock().add_spare(std::move(path));
  co_return is_gone ? ChoreOutcome::done : ChoreOutcome::failed;
}

// A footer is written in a flush of its own, after its records': it must not list what a cut may still take.
// Without it the next start scans the segment, so an error here does not matter.
Task<ChoreOutcome> Housekeeping::write_oldest_footer() {
  SegmentPtr segment = ring_.take_closing();
  if (!segment) co_return ChoreOutcome::nothing_to_do;
  co_await workers_.run(
      [&] { (void)write_footer(*segment->file, segment->footer, segment->header.size, segment->seed); });
  co_return ChoreOutcome::done;
}

Task<ChoreOutcome> Housekeeping::copy() {
  auto step = co_await copier_.step(index_.oldest_segment());
  if (step == Copier::Step::moved || step == Copier::Step::no_room) co_return ChoreOutcome::done;
  if (step == Copier::Step::failed) {
    ring_.note_cannot_turn({std::errc::io_error, "a mail in it cannot be copied"});
    co_return ChoreOutcome::failed;
  }
  // Every mail that is left has an outcome on its way. Each append's end notifies the chores.
  io::Woken woken = co_await appended_.wait(loop_.within(kAfterFailure, &no_more_chores_));
  co_return woken == io::Woken::ready ? ChoreOutcome::done : ChoreOutcome::failed;
}

// The oldest becomes a later one.
Task<ChoreOutcome> Housekeeping::reclaim() {
  SegmentNumber number = ring_.reclaimable();
  SegmentHeader header = ring_.next_header();
  auto made = co_await workers_.run([&] { return recycle_segment(disk_, segment_path(number), header); });
  bool is_gone = !made && made.error().kind == std::errc::no_such_file_or_directory;
  if (!made && !is_gone) {
    ring_.note_cannot_turn(made.error(), number);
    co_return ChoreOutcome::failed;
  }
  ring_.forget(number);
  if (!is_gone) ring_.stock().add(std::move(made));
  co_return ChoreOutcome::done;
}

// Recovery must not miss it: a ready segment says first, durably, that it is not needed. In that time nobody
// may write to it. Where recycling has failed, the file may have got the name that it was to have.
Task<ChoreOutcome> Housekeeping::remove_oldest() {
  SegmentNumber number = ring_.reclaimable();
  SegmentHeader next = ring_.next_header();
  const bool is_unfit = ring_.is_unfit(number);
  SegmentPtr witness = ring_.stock().take_last();
  if (witness) witness->header.oldest = next.oldest;
  auto done = co_await workers_.run([&] {
    Result<void, DiskError> removed;
    if (witness) removed = rewrite_header(*witness->file, witness->header);
    if (removed) removed = delete_segment(disk_, number);
    if (removed && is_unfit) removed = delete_segment(disk_, next.number);
    return removed;
  });
  if (witness) ring_.stock().put_back(std::move(witness));
  if (!done) {
    ring_.note_cannot_turn(done.error());
    co_return ChoreOutcome::failed;
  }
  ring_.forget(number);
  co_return ChoreOutcome::done;
}

}  // namespace hikyaku::spool
