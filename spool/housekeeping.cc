// SPDX-License-Identifier: MIT
#include "spool/housekeeping.h"

#include <algorithm>
#include <utility>

#include "daemon/base/error.h"
#include "daemon/base/text.h"

namespace hikyaku::spool {
namespace {

constexpr Duration kAfterFailure = 1s;

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
  if (ring_.active_ != nullptr) ring_.closing_.push_back(std::exchange(ring_.active_, nullptr));
  while (!ring_.closing_.empty()) co_await write_oldest_footer();
}

Task<void> Housekeeping::run() {
  while (!no_more_chores_.is_requested()) {
    ring_.is_at_work_ = true;
    Chore chore = co_await next_chore();
    ring_.is_at_work_ = false;
    if (chore != Chore::failed) ring_.cannot_turn_.reset();
    if (chore != Chore::nothing_to_do) ring_.room_.notify();
    if (chore == Chore::failed)
      co_await io::sleep_until(loop_, loop_.within(kAfterFailure, &no_more_chores_));
    if (chore == Chore::nothing_to_do) co_await ring_.chores_.wait({next_attempt(), &no_more_chores_});
  }
}

// When a chore that must wait may be tried, if nothing happens before.
Instant Housekeeping::next_attempt() const {
  bool is_later = loop_.now() < ring_.prepare_at_;
  return is_later ? ring_.prepare_at_ : kNever;
}

Task<Housekeeping::Chore> Housekeeping::no_chore() { co_return Chore::nothing_to_do; }

Task<Housekeeping::Chore> Housekeeping::next_chore() {
  switch (spool::next_chore(ring_.state())) {
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

SegmentHeader Housekeeping::next_header(SegmentNumber oldest) const {
  SegmentHeader header;
  header.number = ring_.next_number_;
  header.size = ring_.segment_size_;
  header.spool = ring_.spool_;
  header.highest_id = ring_.ids_.highest();
  header.oldest = oldest;
  header.created = loop_.clock().wall();
  return header;
}

Housekeeping::Chore Housekeeping::take_ready(Result<SegmentFile, DiskError> made) {
  if (!made) {
    ring_.is_short_ = std::move(made.error());
    ring_.prepare_at_ = loop_.now() + kAfterFailure;
    return Chore::done;  // the disk is tried again after a while, what can be done without it at once
  }
  ring_.ready_.push_back(open_segment(std::move(*made)));
  ++ring_.next_number_;
  ring_.is_short_.reset();
  return Chore::done;
}

Task<Housekeeping::Chore> Housekeeping::prepare() {
  SegmentHeader header = next_header(ring_.oldest_needed());
  auto made = co_await workers_.run([&] {
    auto segment = prepare_segment(disk_, header);
    bool is_gone = !segment && segment.error().kind == std::errc::no_such_file_or_directory;
    if (is_gone) remake_directories();
    return segment;
  });
  co_return take_ready(std::move(made));
}

// Somebody has removed the spool's directories. What was in them is gone; what comes can be kept again.
void Housekeeping::remake_directories() {
  auto made = make_directories(disk_);
  auto lock = disk_.lock("lock");
  if (made && lock) second_lock_ = std::move(*lock);
}

Task<Housekeeping::Chore> Housekeeping::use_spare() {
  std::string path = std::move(ring_.spares_.front());
  ring_.spares_.pop_front();
  SegmentHeader header = next_header(ring_.oldest_needed());
  auto made = co_await workers_.run([&] { return recycle_segment(disk_, path, header); });
  if (!made && made.error().kind != std::errc::no_such_file_or_directory)
    ring_.spares_.push_back(std::move(path));
  co_return take_ready(std::move(made));
}

// What may have lost its name is not written to: if it does not go, it is a spare file.
Task<Housekeeping::Chore> Housekeeping::drop_ready() {
  SegmentPtr segment = std::move(ring_.ready_.front());
  ring_.ready_.pop_front();
  auto done = co_await workers_.run([&] { return delete_segment(disk_, segment->header.number); });
  if (!done) ring_.spares_.push_back(segment_path(segment->header.number));
  co_return done ? Chore::done : Chore::failed;
}

Task<Housekeeping::Chore> Housekeeping::drop_spare() {
  std::string path = std::move(ring_.spares_.front());
  ring_.spares_.pop_front();
  auto done = co_await workers_.run([&] { return disk_.unlink(path); });
  bool is_gone = done || done.error().kind == std::errc::no_such_file_or_directory;
  if (!is_gone) ring_.spares_.push_back(std::move(path));
  co_return is_gone ? Chore::done : Chore::failed;
}

// A footer is written in a flush of its own, after its records': it must not list what a cut may still take.
// Without it the next start scans the segment; so an error here is none.
Task<Housekeeping::Chore> Housekeeping::write_oldest_footer() {
  SegmentPtr segment = ring_.closing_.front();
  ring_.closing_.pop_front();
  co_await workers_.run(
      [&] { (void)write_footer(*segment->file, segment->footer, segment->header.size, segment->seed); });
  co_return Chore::done;
}

// Who waits for a ready segment must hear that none will come for a while.
Housekeeping::Chore Housekeeping::give_up_turning(const DiskError& why) {
  ring_.cannot_turn_ = DiskError{why.kind, cat("the oldest segment cannot be turned over: ", why.text)};
  return Chore::failed;
}

Task<Housekeeping::Chore> Housekeeping::copy() {
  auto step = co_await copier_.step(index_.oldest_segment());
  if (step == Copier::Step::moved || step == Copier::Step::no_room) co_return Chore::done;
  if (step == Copier::Step::failed)
    co_return give_up_turning({std::errc::io_error, "a mail in it cannot be copied"});
  // Every mail that is left has an outcome on its way. Each append's end notifies the chores.
  io::Woken woken = co_await appended_.wait(loop_.within(kAfterFailure, &no_more_chores_));
  co_return woken == io::Woken::ready ? Chore::done : Chore::failed;
}

void Housekeeping::forget(SegmentNumber number) {
  std::erase_if(ring_.closing_, [&](const SegmentPtr& closing) { return closing->header.number == number; });
  index_.remove_segment(number);
}

// The oldest becomes a later one.
Task<Housekeeping::Chore> Housekeeping::reclaim() {
  SegmentNumber number = ring_.reclaimable();
  SegmentHeader header = next_header(ring_.oldest_needed());
  auto made = co_await workers_.run([&] { return recycle_segment(disk_, segment_path(number), header); });
  bool is_gone = !made && made.error().kind == std::errc::no_such_file_or_directory;
  if (!made && !is_gone) {
    ring_.unfit_ = number;
    co_return give_up_turning(made.error());
  }
  forget(number);
  if (is_gone) co_return Chore::done;  // somebody has removed it
  co_return take_ready(std::move(made));
}

// Recovery must not miss it: a ready segment says first, durably, that it is not needed. In that time nobody
// may write to it. Where recycling has failed, the file may have got the name that it was to have.
Task<Housekeeping::Chore> Housekeeping::remove_oldest() {
  SegmentNumber number = ring_.reclaimable();
  SegmentPtr witness;
  if (!ring_.ready_.empty()) {
    witness = std::move(ring_.ready_.back());
    ring_.ready_.pop_back();
    witness->header.oldest = ring_.oldest_needed();
  }
  auto done = co_await workers_.run([&] {
    Result<void, DiskError> removed;
    if (witness) removed = rewrite_header(*witness->file, witness->header);
    if (removed) removed = delete_segment(disk_, number);
    if (removed && number == ring_.unfit_) removed = delete_segment(disk_, ring_.next_number_);
    return removed;
  });
  if (witness) ring_.ready_.push_back(std::move(witness));
  if (!done) co_return give_up_turning(done.error());
  forget(number);
  co_return Chore::done;
}

}  // namespace hikyaku::spool
