// SPDX-License-Identifier: MIT
#include "spool/journal.h"

#include <algorithm>
#include <utility>

#include "daemon/base/check.h"

namespace hikyaku::spool {

using mail::SinkError;
using mail::SinkErrorKind;

namespace {

RecordHeader unplaced_header(const NewRecord& record) {
  RecordHeader header;
  header.type = record.type;
  header.id = record.id;
  header.large = record.large;
  header.folded = record.folded;
  header.head_length = static_cast<std::uint32_t>(record.head.size());
  header.content_length = record.large ? record.content_length : record.content.size();
  header.content_checksum = record.content_checksum;
  return header;
}

}  // namespace

std::shared_ptr<OpenSegment> open_segment(SegmentFile file) {
  auto segment = std::make_shared<OpenSegment>();
  segment->header = std::move(file.header);
  segment->seed = segment_seed(segment->header);
  segment->file = std::move(file.file);
  return segment;
}

mail::SinkError to_sink_error(const DiskError& error) {
  return {is_disk_full(error) ? SinkErrorKind::no_space : SinkErrorKind::write_failed, error.text};
}

Journal::Journal(io::Loop& loop, Disk& disk, const SpoolOptions& options, Index& index, const Ids& ids,
                 SegmentPtr first, const Recovered& recovered, Copier::Lose on_lost)
    : loop_(loop),
      disk_(disk),
      segment_size_(options.segment_size.bytes),
      index_(index),
      ids_(ids),
      workers_(loop, options.committer),
      committer_(loop, options.committer, [this](Batch& batch) { on_batch(batch); }),
      copier_(
          loop, disk, index, workers_, head_limit(segment_size_),
          [this](NewRecord record, IndexEntry original) { return append_copy(std::move(record), original); },
          std::move(on_lost)),
      spares_(recovered.spares.begin(), recovered.spares.end()),
      closed_(recovered.closed.begin(), recovered.closed.end()),
      spool_(recovered.spool),
      next_number_(std::max(recovered.next_number, first->header.number + 1)),
      newest_durable_(first->header.number),
      appended_(loop),
      room_(loop),
      chores_(loop),
      nursery_(loop) {
  activate(std::move(first));
  nursery_.spawn(housekeep());
}

Journal::~Journal() { check(is_closing_ && nursery_.size() == 0, "the journal went without close()"); }

Task<Result<void, SinkError>> Journal::append(NewRecord record) {
  if (is_closing_) co_return fail(SinkErrorKind::shutting_down, "the spool is being closed");
  Wanted wanted;
  wanted.record = std::move(record);
  if (wanted.record.type == RecordType::message) wanted.use = RecordUse::new_mail;
  auto result = co_await append_counted(wanted);
  if (!result) co_return std::unexpected(std::move(result.error()));
  co_return {};
}

Task<Copied> Journal::append_copy(NewRecord record, IndexEntry original) {
  if (is_closing_) co_return Copied::failed;
  Wanted wanted{.record = std::move(record), .use = RecordUse::bookkeeping, .original = original};
  auto result = co_await append_counted(wanted);
  if (!result) co_return Copied::failed;
  if (*result == Appended::no_room) co_return Copied::no_room;
  co_return *result == Appended::durable ? Copied::moved : Copied::changed;
}

Task<Result<Journal::Appended, SinkError>> Journal::append_counted(const Wanted& wanted) {
  ++appending_;
  auto result = co_await append_somewhere(wanted);
  --appending_;
  appended_.notify();
  co_return result;
}

// Between the check that a copy's original is unchanged and the copy's place nothing suspends, so whatever
// changes the mail later stands behind the copy.
Task<Result<Journal::Appended, SinkError>> Journal::append_somewhere(const Wanted& wanted) {
  const NewRecord& record = wanted.record;
  Append append(loop_);
  for (int failures = 0; failures < 2;) {
    auto segment = co_await room_for(record_length(unplaced_header(record)), wanted);
    if (!segment) co_return std::unexpected(segment.error());
    if (*segment == nullptr) co_return Appended::no_room;
    if (wanted.original && !is_unchanged(record.id, *wanted.original)) co_return Appended::changed;
    place(append, wanted, std::move(*segment));
    committer_.submit(append);
    while (append.outcome == AppendOutcome::pending) {
      io::Woken woken = co_await append.waiter.park({});
      check(woken == io::Woken::ready, "a commit has no deadline");
    }
    if (append.outcome == AppendOutcome::durable) co_return Appended::durable;
    if (append.outcome == AppendOutcome::failed) ++failures;
  }
  co_return std::unexpected(to_sink_error(*append.error));
}

bool Journal::is_unchanged(mail::MailId id, const IndexEntry& original) const {
  const IndexEntry* entry = index_.find(id);
  return entry != nullptr && *entry == original && !changing_.contains(id);
}

Task<Result<Journal::SegmentPtr, SinkError>> Journal::room_for(std::uint64_t length, const Wanted& wanted) {
  const RecordUse use = wanted.use;
  for (;;) {
    RingState state = ring_state();
    bool does_fit = active_ != nullptr && fits(*active_, length);
    if (does_fit && may_fill_active(state, use, active_->end + length)) co_return active_;
    if (!does_fit && may_take_ready(state, use)) {
      roll_over();
      continue;
    }
    if (wanted.original) co_return SegmentPtr();
    if (!may_wait_for_room(wanted)) co_return std::unexpected(*is_short_);
    chores_.notify();
    io::Woken woken = co_await room_.wait({});
    check(woken == io::Woken::ready, "getting a segment ready ends by itself");
  }
}

// While a segment can be had. A copy never waits: it is a chore itself, and the chores are what it would wait
// for.
bool Journal::may_wait_for_room(const Wanted& wanted) const {
  return !is_short_ || (is_at_work_ && wanted.use == RecordUse::bookkeeping);
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
  state.spare_files = spares_.size();
  state.active_end = active_ == nullptr ? segment_size_ : active_->end;
  state.active_room = active_ == nullptr ? 0 : room_in(*active_);
  state.oldest_live = segment == nullptr ? 0 : segment->live_bytes;
  state.oldest_room = segment == nullptr ? 0 : segment->live_bytes + segment->live * kFooterEntry;
  state.oldest_is_closed = active_ == nullptr || active_->header.number != oldest;
  state.oldest_is_dead = reclaimable() != 0;
  state.footer_is_due = !closing_.empty() && closing_.front()->outstanding == 0;
  state.oldest_is_dying = is_dying(oldest);
  state.may_prepare = loop_.now() >= prepare_at_;
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
  header.wall = loop_.clock().wall();
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

void Journal::on_batch(Batch& batch) {
  SegmentPtr segment = batch.appends.front()->segment;
  if (batch.outcome != AppendOutcome::not_tried) ++counters_.batches, ++counters_.flushes;
  segment->outstanding -= batch.appends.size();
  if (batch.outcome == AppendOutcome::failed) on_failed(segment);
  for (Append* append : batch.appends) {
    if (append->entry.type != RecordType::message) note_returned(append->entry.id);
    append->outcome = batch.outcome;
    append->error = batch.error;
    if (batch.outcome == AppendOutcome::durable) on_durable(*append);
    append->waiter.wake();
  }
  note_flushed(*segment);
  room_.notify();
  chores_.notify();
}

void Journal::note_returned(mail::MailId id) {
  auto changing = changing_.find(id);
  if (--changing->second == 0) changing_.erase(changing);
}

void Journal::on_durable(const Append& append) {
  OpenSegment& segment = *append.segment;
  is_healthy_ = true;
  newest_durable_ = std::max(newest_durable_, segment.header.number);  // it came with the first record
  std::uint64_t length = append.front.size() + append.content.size() + append.padding;
  segment.flushed = append.entry.offset + length;
  segment.footer.entries.push_back(append.entry);
  segment.footer.valid_length = segment.flushed;
  segment.footer.newest = append.wall;
  segment.footer.highest_id = std::max(segment.footer.highest_id, append.entry.id);
  index_.apply(segment.header.number, append.entry);
  ++counters_.records;
  counters_.bytes += length;
}

// The kernel may have dropped what was not on the disk yet: nothing behind the last successful flush counts,
// and the next segment's header says so.
void Journal::on_failed(const SegmentPtr& segment) {
  is_healthy_ = false;
  note_closed({segment->header.number, segment->flushed, segment->flushed});
  header_is_due_ = true;
  if (active_ != segment) return;
  closing_.push_back(std::move(active_));
  active_ = nullptr;
}

// Each header names its latest predecessors: how far they are valid, and that they were there.
void Journal::note_closed(const ClosedSegment& segment) {
  auto known = std::ranges::find(closed_, segment.number, &ClosedSegment::number);
  if (known != closed_.end())
    *known = segment;
  else
    closed_.push_back(segment);
  if (closed_.size() > kMaxClosed) closed_.pop_front();
}

// A segment may be closed while its last batches are on their way.
void Journal::note_flushed(const OpenSegment& segment) {
  auto known = std::ranges::find(closed_, segment.header.number, &ClosedSegment::number);
  if (known != closed_.end()) known->flushed = segment.flushed;
}

Task<void> Journal::close() {
  is_closing_ = true;
  while (appending_ != 0) {
    io::Woken woken = co_await appended_.wait({});
    check(woken == io::Woken::ready, "appends end by themselves");
  }
  no_more_chores_.request();
  io::Woken drained = co_await nursery_.drained({});
  check(drained == io::Woken::ready, "chores end when they are told to");
  if (active_ != nullptr) closing_.push_back(std::exchange(active_, nullptr));
  while (!closing_.empty()) {
    Chore chore = co_await write_oldest_footer();
    if (chore != Chore::done) closing_.pop_front();
  }
}

}  // namespace hikyaku::spool
