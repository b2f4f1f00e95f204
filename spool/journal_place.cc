// SPDX-License-Identifier: MIT
// Where a record goes: the active segment, the next one, or nowhere for now.
#include <utility>

#include "daemon/base/error.h"
#include "spool/journal.h"

namespace hikyaku::spool {

Task<Result<Journal::SegmentPtr, DiskError>> Journal::room_for(std::uint64_t length, const Wanted& wanted) {
  const RecordUse use = wanted.record.use;
  for (;;) {
    RingState state = ring_state();
    bool does_fit = active_ != nullptr && fits(*active_, length) && leaves_reserve(length, use);
    if (does_fit && may_fill_active(state, use, active_->end + length)) co_return active_;
    if (!does_fit && may_take_ready(state, use)) {
      roll_over();
      continue;
    }
    if (wanted.original) co_return SegmentPtr();
    if (!may_wait_for_room(wanted)) co_return std::unexpected(is_short_ ? *is_short_ : *cannot_turn_);
    chores_.notify();
    io::Woken woken = co_await room_.wait({});
    check(woken == io::Woken::ready, "getting a segment ready ends by itself");
  }
}

bool Journal::takes_new_mail() const {
  constexpr std::uint64_t kSmall = 4096;
  RingState state = ring_state();
  bool does_fit = active_ != nullptr && fits(*active_, kSmall) && leaves_reserve(kSmall, RecordUse::new_mail);
  if (does_fit) return may_fill_active(state, RecordUse::new_mail, active_->end + kSmall);
  return may_take_ready(state, RecordUse::new_mail);
}

// While a segment can be had. A copy never waits: it is a chore itself, and the chores are what it would wait
// for.
bool Journal::may_wait_for_room(const Wanted& wanted) const {
  bool is_hopeless = (is_short_ && loop_.now() < prepare_at_) || cannot_turn_;
  return !is_hopeless || (is_at_work_ && wanted.record.use != RecordUse::new_mail);
}

// A segment whose mail all lives grows by the progress of each when it is copied, and must still fit into
// one.
bool Journal::leaves_reserve(std::uint64_t length, RecordUse use) const {
  bool is_message = use == RecordUse::new_mail || use == RecordUse::notice;
  if (!is_message || active_->end == records_begin()) return true;
  return fits(*active_, length + segment_size_ / 8);
}

// The footer's place is kept free from the start: it grows from the other end.
bool Journal::fits(const OpenSegment& segment, std::uint64_t length) {
  return length + kFooterEntry <= room_in(segment);
}

std::uint64_t Journal::room_in(const OpenSegment& segment) {
  std::uint64_t records = segment.footer.entries.size() + segment.outstanding;
  std::uint64_t end = footer_begin(segment.header.size, records);
  return end > segment.end ? end - segment.end : 0;
}

RingState Journal::ring_state() const {
  SegmentNumber oldest = index_.oldest_segment();
  const SegmentInfo* segment = index_.segment(oldest);
  RingState state;
  state.segment_size = segment_size_;
  state.log_bytes = index_.log_bytes();
  state.live_bytes = index_.live_bytes();
  state.ready = ready_.size();
  state.active_end = active_ == nullptr ? segment_size_ : active_->end;
  state.active_room = active_ == nullptr ? 0 : room_in(*active_);
  state.oldest_live = segment == nullptr ? 0 : segment->live_bytes;
  state.oldest_room = segment == nullptr ? 0 : segment->live_bytes + segment->live * kFooterEntry;
  state.oldest_is_closed = active_ == nullptr || active_->header.number != oldest;
  SegmentNumber dead = reclaimable();
  state.oldest_is_dead = dead != 0 && may_recycle(dead);
  state.oldest_is_useless = dead != 0 && !may_recycle(dead) && may_remove();
  state.footer_is_due = !closing_.empty() && closing_.front()->outstanding == 0;
  state.oldest_is_dying = is_dying(oldest);
  state.may_prepare = loop_.now() >= prepare_at_;
  state.spare_files = state.may_prepare ? spares_.size() : 0;
  state.is_short = is_short_.has_value() || !state.may_prepare;
  return state;
}

void Journal::roll_over() {
  if (active_ != nullptr) {
    note_closed({active_->header.number, active_->end, active_->flushed});
    closing_.push_back(std::move(active_));
  }
  SegmentPtr next = std::move(ready_.front());
  ready_.pop_front();
  activate(std::move(next));
  active_->header.highest_id = ids_.highest();
  active_->header.oldest = index_.oldest_segment();
  active_->header.created = loop_.clock().wall();
  header_is_due_ = true;
  chores_.notify();
}

void Journal::activate(SegmentPtr segment) {
  const SegmentHeader& header = segment->header;
  if (index_.segment(header.number) == nullptr) index_.add_segment(header.number, segment->seed, header.size);
  active_ = std::move(segment);
}

std::string Journal::current_header() {
  active_->header.state = SegmentState::in_use;
  active_->header.closed.assign(closed_.begin(), closed_.end());
  header_is_due_ = false;
  return encode_segment_header(active_->header);
}

void Journal::place(Append& append, const Wanted& wanted, SegmentPtr segment) {
  const NewRecord& record = wanted.record;
  RecordSeed seed(segment->seed, segment->end);
  RecordHeader header = unplaced_header(record);
  header.wall = record.wall.value_or(loop_.clock().wall());
  header.flushed = static_cast<std::uint32_t>(segment->flushed);
  header = sealed(header, record.head, record.content, seed);
  append.front = encode_record_header(header, seed);
  append.front += record.head;
  append.content = record.content;
  append.padding =
      static_cast<std::size_t>(record_length(header)) - append.front.size() - record.content.size();
  append.segment_header = header_is_due_ ? current_header() : std::string();
  append.entry = {.id = record.id,
                  .offset = static_cast<std::uint32_t>(segment->end),
                  .head_length = header.head_length,
                  .content_length = header.content_length,
                  .next_wait = record.next_wait,
                  .type = record.type,
                  .large = record.large,
                  .held = record.held,
                  .folded = record.folded};
  append.wall = header.wall;
  append.is_copy = wanted.original.has_value();
  if (record.type != RecordType::message) ++changing_[record.id];
  segment->end += record_length(header);
  ++segment->outstanding;
  append.segment = std::move(segment);
}

}  // namespace hikyaku::spool
