// SPDX-License-Identifier: MIT
// The journal's chores, one at a time on the pool: preparing the next segment before it is needed, footers,
// deleting.
#include <utility>

#include "spool/faults.h"
#include "spool/journal.h"

namespace hikyaku::spool {
namespace {

constexpr Duration kAfterFailure = 1s;

// Each deletion is durable before the next: were the younger of two lost and the older not, a DONE would be
// gone and its MESSAGE back.
Result<void, DiskError> delete_segment(Disk& disk, SegmentNumber number) {
  auto done = disk.unlink(segment_path(number));
  bool is_gone = done || done.error().kind == std::errc::no_such_file_or_directory;
  return is_gone ? disk.sync_directory("log") : done;
}

}  // namespace

Task<void> Journal::housekeep() {
  while (!no_more_chores_.is_requested()) {
    Chore chore = co_await next_chore();
    io::Woken woken = io::Woken::ready;
    if (chore == Chore::failed)
      woken = co_await io::sleep_until(loop_, loop_.within(kAfterFailure, &no_more_chores_));
    if (chore == Chore::nothing_to_do) woken = co_await chores_.wait({kNever, &no_more_chores_});
    if (woken == io::Woken::cancelled) co_return;
  }
}

Task<Journal::Chore> Journal::next_chore() {
  Chore chore = Chore::nothing_to_do;
  if (next_ == nullptr)
    chore = co_await prepare();
  else if (may_delete(index_.oldest_segment()))
    chore = co_await delete_oldest();
  else if (!closing_.empty() && closing_.front()->outstanding == 0)
    chore = co_await write_oldest_footer();
  co_return chore;
}

Task<Journal::Chore> Journal::prepare() {
  SegmentHeader header;
  header.number = next_number_;
  header.size = segment_size_;
  header.spool = spool_;
  header.created = loop_.clock().wall();
  Result<SegmentFile, DiskError> made;
  co_await workers_.run([&] { made = prepare_segment(disk_, header); });
  if (made) {
    next_ = open_segment(std::move(*made));
    ++next_number_;
    cannot_prepare_.reset();
  } else {
    cannot_prepare_ = to_sink_error(made.error());
  }
  prepared_.notify();
  co_return next_ != nullptr ? Chore::done : Chore::failed;
}

// A footer is written in a flush of its own, after its records': it must not list what a cut may still take.
// Without it the next start scans the segment; so an error here is none.
Task<Journal::Chore> Journal::write_oldest_footer() {
  SegmentPtr segment = closing_.front();
  closing_.pop_front();
  co_await workers_.run(
      [&] { (void)write_footer(*segment->file, segment->footer, segment->header.size, segment->seed); });
  co_return Chore::done;
}

// Not the last one in use, however dead: only its header still knows which ids have been assigned.
bool Journal::may_delete(SegmentNumber number) const {
  if (number >= newest_durable_) return false;
  const SegmentInfo* segment = index_.segment(number);
  bool is_active = active_ != nullptr && active_->header.number == number;
  if (segment == nullptr || is_active || segment->live != 0) return false;
  return closing_.empty() || closing_.front()->header.number != number || closing_.front()->outstanding == 0;
}

Task<Journal::Chore> Journal::delete_oldest() {
  SegmentNumber number = index_.oldest_segment();
  Result<void, DiskError> done;
  co_await workers_.run([&] { done = delete_segment(disk_, number); });
  if (!done) co_return Chore::failed;
  if (!closing_.empty() && closing_.front()->header.number == number) closing_.pop_front();
  index_.remove_segment(number);
  co_return Chore::done;
}

}  // namespace hikyaku::spool
