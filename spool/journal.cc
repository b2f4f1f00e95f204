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
                 SegmentPtr first, const Recovered& recovered)
    : loop_(loop),
      disk_(disk),
      segment_size_(options.segment_size.bytes),
      index_(index),
      ids_(ids),
      workers_(loop, options.committer),
      committer_(loop, options.committer, [this](Batch& batch) { on_batch(batch); }),
      closed_(recovered.closed.begin(), recovered.closed.end()),
      spool_(recovered.spool),
      next_number_(std::max(recovered.next_number, first->header.number + 1)),
      newest_durable_(first->header.number),
      appended_(loop),
      prepared_(loop),
      chores_(loop),
      nursery_(loop) {
  activate(std::move(first));
  nursery_.spawn(housekeep());
}

Journal::~Journal() { check(is_closing_ && nursery_.size() == 0, "the journal went without close()"); }

Task<Result<void, SinkError>> Journal::append(NewRecord record) {
  if (is_closing_) co_return fail(SinkErrorKind::shutting_down, "the spool is being closed");
  ++appending_;
  auto result = co_await append_somewhere(record);
  --appending_;
  appended_.notify();
  co_return result;
}

Task<Result<void, SinkError>> Journal::append_somewhere(const NewRecord& record) {
  Append append(loop_);
  for (int failures = 0; failures < 2;) {
    auto segment = co_await room_for(record_length(unplaced_header(record)));
    if (!segment) co_return std::unexpected(segment.error());
    place(append, record, std::move(*segment));
    committer_.submit(append);
    while (append.outcome == AppendOutcome::pending) {
      io::Woken woken = co_await append.waiter.park({});
      check(woken == io::Woken::ready, "a commit has no deadline");
    }
    if (append.outcome == AppendOutcome::durable) co_return {};
    if (append.outcome == AppendOutcome::failed) ++failures;
  }
  co_return std::unexpected(to_sink_error(*append.error));
}

Task<Result<Journal::SegmentPtr, SinkError>> Journal::room_for(std::uint64_t length) {
  for (;;) {
    if (active_ != nullptr && fits(*active_, length)) co_return active_;
    if (next_ != nullptr) {
      roll_over();
      continue;
    }
    if (cannot_prepare_) co_return std::unexpected(*cannot_prepare_);
    io::Woken woken = co_await prepared_.wait({});
    check(woken == io::Woken::ready, "preparing a segment ends by itself");
  }
}

// The footer's place is kept free from the start: it grows from the other end.
bool Journal::fits(const OpenSegment& segment, std::uint64_t length) {
  std::uint64_t records = segment.footer.entries.size() + segment.outstanding + 1;
  return segment.end + length <= footer_begin(segment.header.size, records);
}

void Journal::roll_over() {
  if (active_ != nullptr) closing_.push_back(std::move(active_));
  activate(std::exchange(next_, nullptr));
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

void Journal::place(Append& append, const NewRecord& record, SegmentPtr segment) {
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
                  .held = record.held};
  append.wall = header.wall;
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
    append->outcome = batch.outcome;
    append->error = batch.error;
    if (batch.outcome == AppendOutcome::durable) on_durable(*append);
    append->waiter.wake();
  }
  chores_.notify();
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
  closed_.push_back({segment->header.number, segment->flushed, segment->flushed});
  if (closed_.size() > kMaxClosed) closed_.pop_front();
  header_is_due_ = true;
  if (active_ != segment) return;
  closing_.push_back(std::move(active_));
  active_ = nullptr;
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
