// SPDX-License-Identifier: MIT
// What the journal makes of a batch that the committer hands back.
#include <algorithm>

#include "spool/journal.h"

namespace hikyaku::spool {

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
  newest_durable_ = std::max(newest_durable_, segment.header.number);  // it came with the first record
  std::uint64_t length = append.front.size() + append.content.size() + append.padding;
  segment.flushed = append.entry.offset + length;
  segment.footer.entries.push_back(append.entry);
  segment.footer.valid_length = segment.flushed;
  segment.footer.newest = std::max(segment.footer.newest, append.wall);
  segment.footer.highest_id = std::max(segment.footer.highest_id, append.entry.id);
  index_.apply(segment.header.number, append.entry);
  ++counters_.records;
  counters_.bytes += length;
}

// The kernel may have dropped what was not on the disk yet: nothing behind the last successful flush counts,
// and the next segment's header says so.
void Journal::on_failed(const SegmentPtr& segment) {
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

}  // namespace hikyaku::spool
