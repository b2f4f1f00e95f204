// SPDX-License-Identifier: MIT
#include "spool/ring.h"

#include <algorithm>
#include <utility>

#include "daemon/base/error.h"
#include "daemon/base/text.h"
#include "spool/faults.h"

namespace hikyaku::spool {
namespace {

std::uint64_t room_in(const OpenSegment& segment) {
  std::uint64_t records = segment.footer.entries.size() + segment.outstanding;
  std::uint64_t end = footer_begin(segment.header.size, records);
  return end > segment.end ? end - segment.end : 0;
}

// The footer's place is kept free from the start: it grows from the other end.
bool fits(const OpenSegment& segment, std::uint64_t length) {
  return length + kFooterShare <= room_in(segment);
}

}  // namespace

Ring::Ring(io::Loop& loop, std::uint64_t segment_size, Index& index, const Ids& ids, SegmentPtr first,
           const Recovered& recovered)
    : loop_(loop),
      segment_size_(segment_size),
      index_(index),
      ids_(ids),
      stock_(loop, segment_size, recovered, std::max(recovered.next_number, first->header.number + 1)),
      closed_(recovered.closed.begin(), recovered.closed.end()),
      newest_durable_(first->header.number),
      room_(loop),
      chores_(loop) {
  activate(std::move(first));
}

Task<Result<SegmentPtr, DiskError>> Ring::room_for(std::uint64_t length, RecordUse use, bool is_copy) {
  for (;;) {
    RingState now = state();
    bool does_fit = active_ != nullptr && fits(*active_, length) && leaves_reserve(length, use);
    if (does_fit && may_fill_active(now, use, active_->end + length)) co_return active_;
    if (!does_fit && may_take_ready(now, use)) {
      roll_over();
      continue;
    }
    if (is_copy) co_return SegmentPtr();
    if (!may_wait_for_room(use))
      co_return std::unexpected(stock_.shortage() ? *stock_.shortage() : *cannot_turn_);
    chores_.notify();
    io::Woken woken = co_await room_.wait({});
    check(woken == io::Woken::ready, "getting a segment ready ends by itself");
  }
}

bool Ring::takes_new_mail() const {
  constexpr std::uint64_t kSmall = 4096;
  RingState now = state();
  bool does_fit = active_ != nullptr && fits(*active_, kSmall) && leaves_reserve(kSmall, RecordUse::new_mail);
  if (does_fit) return may_fill_active(now, RecordUse::new_mail, active_->end + kSmall);
  return may_take_ready(now, RecordUse::new_mail);
}

// While a segment can be had. A copy never waits: it is a chore itself, and the chores are what it would wait
// for.
bool Ring::may_wait_for_room(RecordUse use) const {
  bool is_hopeless = (stock_.shortage() && !stock_.may_try()) || cannot_turn_;
  return !is_hopeless || (is_at_work_ && use != RecordUse::new_mail);
}

// A segment whose mail all lives grows by the progress of each when it is copied, and must still fit into
// one.
bool Ring::leaves_reserve(std::uint64_t length, RecordUse use) const {
  bool is_message = use == RecordUse::new_mail || use == RecordUse::notice;
  if (!is_message || active_->end == records_begin()) return true;
  return fits(*active_, length + segment_size_ / 8);
}

RingState Ring::state() const {
  SegmentNumber oldest = index_.oldest_segment();
  const SegmentInfo* segment = index_.segment(oldest);
  RingState now;
  now.segment_size = segment_size_;
  now.log_bytes = index_.log_bytes();
  now.live_bytes = index_.live_bytes();
  now.ready = stock_.ready();
  now.active_end = active_ == nullptr ? segment_size_ : active_->end;
  now.active_room = active_ == nullptr ? 0 : room_in(*active_);
  now.oldest_live = segment == nullptr ? 0 : segment->live_bytes;
  now.oldest_room = segment == nullptr ? 0 : segment->live_bytes + segment->live * kFooterShare;
  now.oldest_is_closed = active_ == nullptr || active_->header.number != oldest;
  SegmentNumber dead = reclaimable();
  now.oldest_is_dead = dead != 0 && may_recycle(dead);
  // Another says that it is not needed; on a full disk none can be had, and it gives the room for one.
  bool may_remove = stock_.ready() != 0 || (stock_.shortage() && is_disk_full(*stock_.shortage()));
  now.oldest_is_useless = dead != 0 && !may_recycle(dead) && may_remove;
  now.footer_is_due = !closing_.empty() && closing_.front()->outstanding == 0;
  now.oldest_is_dying = is_dying(oldest);
  now.may_prepare = stock_.may_try();
  now.spare_files = now.may_prepare ? stock_.spares() : 0;
  now.is_short = stock_.shortage().has_value() || !now.may_prepare;
  return now;
}

void Ring::roll_over() {
  if (active_ != nullptr) {
    note_closed({active_->header.number, active_->end, active_->flushed});
    closing_.push_back(std::move(active_));
  }
  activate(stock_.take_first());
  active_->header.highest_id = ids_.highest();
  active_->header.oldest = index_.oldest_segment();
  active_->header.created = loop_.clock().wall();
  header_is_due_ = true;
  chores_.notify();
}

void Ring::activate(SegmentPtr segment) {
  const SegmentHeader& header = segment->header;
  if (index_.segment(header.number) == nullptr) index_.add_segment(header.number, segment->seed, header.size);
  active_ = std::move(segment);
}

std::string Ring::header_if_due() {
  if (!header_is_due_) return {};
  active_->header.state = SegmentState::in_use;
  active_->header.closed.assign(closed_.begin(), closed_.end());
  header_is_due_ = false;
  return encode_segment_header(active_->header);
}

void Ring::note_durable(SegmentNumber number) { newest_durable_ = std::max(newest_durable_, number); }

// The kernel may have dropped what was not on the disk yet: nothing behind the last successful flush counts,
// and the next segment's header says so.
void Ring::note_failed(const SegmentPtr& segment) {
  note_closed({segment->header.number, segment->flushed, segment->flushed});
  header_is_due_ = true;
  if (active_ != segment) return;
  closing_.push_back(std::move(active_));
  active_ = nullptr;
}

// Each header names its latest predecessors: how far they are valid, and that they were there.
void Ring::note_closed(const ClosedSegment& segment) {
  auto known = std::ranges::find(closed_, segment.number, &ClosedSegment::number);
  if (known != closed_.end())
    *known = segment;
  else
    closed_.push_back(segment);
  if (closed_.size() > kMaxClosed) closed_.pop_front();
}

// A segment may be closed while its last batches are on their way.
void Ring::note_returned(const OpenSegment& segment) {
  auto known = std::ranges::find(closed_, segment.header.number, &ClosedSegment::number);
  if (known != closed_.end()) known->flushed = segment.flushed;
  room_.notify();
  chores_.notify();
}

SegmentNumber Ring::reclaimable() const {
  if (!is_injected(Fault::free_out_of_order)) {
    SegmentNumber oldest = index_.oldest_segment();
    return is_dead(oldest) ? oldest : 0;
  }
  for (const auto& [number, segment] : index_.segments())
    if (is_dead(number)) return number;
  return 0;
}

// Not the last one in use, however dead: only its header still knows which ids have been assigned.
bool Ring::is_dead(SegmentNumber number) const {
  const SegmentInfo* segment = index_.segment(number);
  bool is_active = active_ != nullptr && active_->header.number == number;
  if (number >= newest_durable_ || segment == nullptr || is_active || segment->live != 0) return false;
  return outstanding_in(number) == 0;
}

std::size_t Ring::outstanding_in(SegmentNumber number) const {
  auto closing =
      std::ranges::find(closing_, number, [](const SegmentPtr& each) { return each->header.number; });
  return closing == closing_.end() ? 0 : (*closing)->outstanding;
}

// No mail lives there; only records on their way to the disk keep the segment from being dead.
bool Ring::is_dying(SegmentNumber number) const {
  const SegmentInfo* segment = index_.segment(number);
  bool is_closed_and_empty =
      segment != nullptr && segment->live == 0 && active_ != nullptr && active_->header.number != number;
  return is_closed_and_empty && (active_->outstanding != 0 || outstanding_in(number) != 0);
}

// While no other file can be had, what has failed is tried again.
bool Ring::may_recycle(SegmentNumber number) const {
  bool has_no_choice = stock_.ready() == 0 && !stock_.may_try();
  return index_.segment(number)->size == segment_size_ && (number != unfit_ || has_no_choice);
}

RingChore Ring::begin_chore() {
  is_at_work_ = true;
  return next_chore(state());
}

void Ring::end_chore(ChoreOutcome outcome) {
  is_at_work_ = false;
  if (outcome != ChoreOutcome::failed) cannot_turn_.reset();
  if (outcome != ChoreOutcome::nothing_to_do) room_.notify();
}

Task<void> Ring::wait_for_chore(io::Cancel& cancel) {
  const Instant until = stock_.may_try() ? kNever : stock_.retry_at();
  co_await chores_.wait({until, &cancel});
}

// No segment before header.oldest is needed, whether or not its file still exists.
SegmentHeader Ring::next_header() const {
  SegmentHeader header = stock_.next_header();
  header.highest_id = ids_.highest();
  auto oldest = index_.segments().begin();
  header.oldest = is_dead(oldest->first) ? std::next(oldest)->first : oldest->first;
  return header;
}

// Waiters for a ready segment must learn that none will come for a while.
void Ring::note_cannot_turn(const DiskError& why, SegmentNumber unfit) {
  cannot_turn_ = DiskError{why.kind, cat("the oldest segment cannot be turned over: ", why.text)};
  if (unfit != 0) unfit_ = unfit;
}

void Ring::forget(SegmentNumber number) {
  std::erase_if(closing_, [&](const SegmentPtr& closing) { return closing->header.number == number; });
  index_.remove_segment(number);
}

void Ring::close_active() {
  if (active_ != nullptr) closing_.push_back(std::exchange(active_, nullptr));
}

SegmentPtr Ring::take_closing() {
  if (closing_.empty()) return nullptr;
  SegmentPtr segment = std::move(closing_.front());
  closing_.pop_front();
  return segment;
}

}  // namespace hikyaku::spool
