// SPDX-License-Identifier: MIT
// The journal's chores, one at a time, their blocking parts on the pool. ring_policy.h says which comes next.
#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "spool/faults.h"
#include "spool/journal.h"

namespace hikyaku::spool {

namespace {

constexpr Duration kAfterFailure = 1s;

Result<void, DiskError> rewrite_header(DiskFile& file, const SegmentHeader& header) {
  auto written = write_segment_header(file, header.size, encode_segment_header(header));
  return written ? file.flush() : written;
}

}  // namespace

Task<void> Journal::housekeep() {
  while (!no_more_chores_.is_requested()) {
    is_at_work_ = true;
    Chore chore = co_await next_chore();
    is_at_work_ = false;
    if (chore != Chore::failed) cannot_turn_.reset();
    if (chore != Chore::nothing_to_do) room_.notify();
    if (chore == Chore::failed)
      co_await io::sleep_until(loop_, loop_.within(kAfterFailure, &no_more_chores_));
    if (chore == Chore::nothing_to_do) co_await chores_.wait({next_attempt(), &no_more_chores_});
  }
}

// When a chore that must wait may be tried, if nothing happens before.
Instant Journal::next_attempt() const {
  bool is_later = loop_.now() < prepare_at_;
  return is_later ? prepare_at_ : kNever;
}

Task<Journal::Chore> Journal::no_chore() { co_return Chore::nothing_to_do; }

Task<Journal::Chore> Journal::next_chore() {
  switch (spool::next_chore(ring_state())) {
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

SegmentHeader Journal::next_header(SegmentNumber oldest) const {
  SegmentHeader header;
  header.number = next_number_;
  header.size = segment_size_;
  header.spool = spool_;
  header.highest_id = ids_.highest();
  header.oldest = oldest;
  header.created = loop_.clock().wall();
  return header;
}

Journal::Chore Journal::take_ready(Result<SegmentFile, DiskError> made) {
  if (!made) {
    is_short_ = std::move(made.error());
    prepare_at_ = loop_.now() + kAfterFailure;
    return Chore::done;  // the disk is tried again after a while, what can be done without it at once
  }
  ready_.push_back(open_segment(std::move(*made)));
  ++next_number_;
  is_short_.reset();
  return Chore::done;
}

Task<Journal::Chore> Journal::prepare() {
  SegmentHeader header = next_header(oldest_needed());
  Result<SegmentFile, DiskError> made;
  co_await workers_.run([&] {
    made = prepare_segment(disk_, header);
    bool is_gone = !made && made.error().kind == std::errc::no_such_file_or_directory;
    if (is_gone) remake_directories();
  });
  co_return take_ready(std::move(made));
}

// Somebody has removed the spool's directories. What was in them is gone; what comes can be kept again.
void Journal::remake_directories() {
  auto made = make_directories(disk_);
  auto lock = disk_.lock("lock");
  if (made && lock) second_lock_ = std::move(*lock);
}

Task<Journal::Chore> Journal::use_spare() {
  std::string path = std::move(spares_.front());
  spares_.pop_front();
  SegmentHeader header = next_header(oldest_needed());
  Result<SegmentFile, DiskError> made;
  co_await workers_.run([&] { made = recycle_segment(disk_, path, header); });
  if (!made && made.error().kind != std::errc::no_such_file_or_directory) spares_.push_back(std::move(path));
  co_return take_ready(std::move(made));
}

// What may have lost its name is not written to: if it does not go, it is a spare file.
Task<Journal::Chore> Journal::drop_ready() {
  SegmentPtr segment = std::move(ready_.front());
  ready_.pop_front();
  Result<void, DiskError> done;
  co_await workers_.run([&] { done = delete_segment(disk_, segment->header.number); });
  if (!done) spares_.push_back(segment_path(segment->header.number));
  co_return done ? Chore::done : Chore::failed;
}

Task<Journal::Chore> Journal::drop_spare() {
  std::string path = std::move(spares_.front());
  spares_.pop_front();
  Result<void, DiskError> done;
  co_await workers_.run([&] { done = disk_.unlink(path); });
  bool is_gone = done || done.error().kind == std::errc::no_such_file_or_directory;
  if (!is_gone) spares_.push_back(std::move(path));
  co_return is_gone ? Chore::done : Chore::failed;
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

// Who waits for a ready segment must hear that none will come for a while.
Journal::Chore Journal::give_up_turning(const DiskError& why) {
  cannot_turn_ = DiskError{why.kind, cat("the oldest segment cannot be turned over: ", why.text)};
  return Chore::failed;
}

Task<Journal::Chore> Journal::copy() {
  auto step = co_await copier_.step(index_.oldest_segment());
  if (step == Copier::Step::moved || step == Copier::Step::no_room) co_return Chore::done;
  if (step == Copier::Step::failed)
    co_return give_up_turning({std::errc::io_error, "a mail in it cannot be copied"});
  // Every mail that is left has an outcome on its way. Each append's end notifies the chores.
  io::Woken woken = co_await appended_.wait(loop_.within(kAfterFailure, &no_more_chores_));
  co_return woken == io::Woken::ready ? Chore::done : Chore::failed;
}

SegmentNumber Journal::reclaimable() const {
  if (!is_injected(Fault::free_out_of_order)) {
    SegmentNumber oldest = index_.oldest_segment();
    return is_dead(oldest) ? oldest : 0;
  }
  for (const auto& [number, segment] : index_.segments())
    if (is_dead(number)) return number;
  return 0;
}

// Not the last one in use, however dead: only its header still knows which ids have been assigned.
bool Journal::is_dead(SegmentNumber number) const {
  const SegmentInfo* segment = index_.segment(number);
  bool is_active = active_ != nullptr && active_->header.number == number;
  if (number >= newest_durable_ || segment == nullptr || is_active || segment->live != 0) return false;
  return outstanding_in(number) == 0;
}

std::size_t Journal::outstanding_in(SegmentNumber number) const {
  auto closing =
      std::ranges::find(closing_, number, [](const SegmentPtr& each) { return each->header.number; });
  return closing == closing_.end() ? 0 : (*closing)->outstanding;
}

// Nothing lives there, and what keeps it from being dead is on its way to the disk.
bool Journal::is_dying(SegmentNumber number) const {
  const SegmentInfo* segment = index_.segment(number);
  bool is_closed_and_empty =
      segment != nullptr && segment->live == 0 && active_ != nullptr && active_->header.number != number;
  return is_closed_and_empty && (active_->outstanding != 0 || outstanding_in(number) != 0);
}

// While no other file can be had, what has failed is tried again.
bool Journal::may_recycle(SegmentNumber number) const {
  bool has_no_choice = ready_.empty() && loop_.now() < prepare_at_;
  return index_.segment(number)->size == segment_size_ && (number != unfit_ || has_no_choice);
}

// Another says that it is not needed; on a full disk none can be had, and it gives the room for one.
bool Journal::may_remove() const { return !ready_.empty() || (is_short_ && is_disk_full(*is_short_)); }

// What a header may call the oldest: nothing before it is needed, whether or not its file is still there.
SegmentNumber Journal::oldest_needed() const {
  auto oldest = index_.segments().begin();
  return is_dead(oldest->first) ? std::next(oldest)->first : oldest->first;
}

void Journal::forget(SegmentNumber number) {
  std::erase_if(closing_, [&](const SegmentPtr& closing) { return closing->header.number == number; });
  index_.remove_segment(number);
}

// The oldest becomes a later one.
Task<Journal::Chore> Journal::reclaim() {
  SegmentNumber number = reclaimable();
  SegmentHeader header = next_header(oldest_needed());
  Result<SegmentFile, DiskError> made;
  co_await workers_.run([&] { made = recycle_segment(disk_, segment_path(number), header); });
  bool is_gone = !made && made.error().kind == std::errc::no_such_file_or_directory;
  if (!made && !is_gone) {
    unfit_ = number;
    co_return give_up_turning(made.error());
  }
  forget(number);
  if (is_gone) co_return Chore::done;  // somebody has removed it
  co_return take_ready(std::move(made));
}

// Recovery must not miss it: a ready segment says first, durably, that it is not needed. In that time nobody
// may write to it. Where recycling has failed, the file may have got the name that it was to have.
Task<Journal::Chore> Journal::remove_oldest() {
  SegmentNumber number = reclaimable();
  SegmentPtr witness;
  if (!ready_.empty()) {
    witness = std::move(ready_.back());
    ready_.pop_back();
    witness->header.oldest = oldest_needed();
  }
  Result<void, DiskError> done;
  co_await workers_.run([&] {
    if (witness) done = rewrite_header(*witness->file, witness->header);
    if (done) done = delete_segment(disk_, number);
    if (done && number == unfit_) done = delete_segment(disk_, next_number_);
  });
  if (witness) ready_.push_back(std::move(witness));
  if (!done) co_return give_up_turning(done.error());
  forget(number);
  co_return Chore::done;
}

}  // namespace hikyaku::spool
