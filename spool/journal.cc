// SPDX-License-Identifier: MIT
#include "spool/journal.h"

#include <algorithm>
#include <utility>

#include "daemon/base/error.h"
#include "spool/scan.h"

namespace hikyaku::spool {

Journal::Journal(io::Loop& loop, Disk& disk, const SpoolOptions& options, Index& index, const Ids& ids,
                 SegmentPtr first, const Recovered& recovered, Quarantine& quarantine,
                 Copier::OnDamage on_damage)
    : loop_(loop),
      index_(index),
      workers_(loop, options.committer),
      committer_(loop, options.committer, [this](Batch& batch) { on_batch(batch); }),
      copier_(
          loop, disk, index, workers_, quarantine, head_limit(options.segment_size.bytes),
          [this](NewRecord record, IndexEntry original) { return append_copy(std::move(record), original); },
          std::move(on_damage)),
      ring_(loop, options.segment_size.bytes, index, ids, std::move(first), recovered),
      appended_(loop),
      housekeeping_(loop, disk, index, workers_, copier_, ring_, appended_) {
  housekeeping_.start();
}

Journal::~Journal() { check(is_closing_, "the journal went without close()"); }

Task<Result<void, DiskError>> Journal::append(NewRecord record) {
  if (is_closing_) co_return fail(std::errc::operation_canceled, "the spool is being closed");
  Wanted wanted;
  wanted.record = std::move(record);
  auto result = co_await append_counted(wanted);
  if (!result) co_return std::unexpected(std::move(result.error()));
  co_return {};
}

Task<Copied> Journal::append_copy(NewRecord record, IndexEntry original) {
  if (is_closing_) co_return Copied::failed;
  Wanted wanted{.record = std::move(record), .original = original};
  auto result = co_await append_counted(wanted);
  if (!result) co_return Copied::failed;
  if (*result == Appended::no_room) co_return Copied::no_room;
  co_return *result == Appended::durable ? Copied::moved : Copied::changed;
}

Task<Result<Journal::Appended, DiskError>> Journal::append_counted(const Wanted& wanted) {
  ++appending_;
  auto result = co_await append_somewhere(wanted);
  --appending_;
  appended_.notify();
  co_return result;
}

// Between the check that a copy's original is unchanged and the copy's place nothing suspends, so whatever
// changes the mail later stands behind the copy.
Task<Result<Journal::Appended, DiskError>> Journal::append_somewhere(const Wanted& wanted) {
  const NewRecord& record = wanted.record;
  Append append(loop_);
  for (int failures = 0; failures < 2;) {
    auto segment = co_await ring_.room_for(record_length(unplaced_header(record)), record.use,
                                           wanted.original.has_value());
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
  co_return std::unexpected(std::move(*append.error));
}

bool Journal::is_unchanged(mail::MailId id, const IndexEntry& original) const {
  const IndexEntry* entry = index_.find(id);
  return entry != nullptr && *entry == original && !changing_.contains(id);
}

Task<void> Journal::close() {
  is_closing_ = true;
  while (appending_ != 0) {
    io::Woken woken = co_await appended_.wait({});
    check(woken == io::Woken::ready, "appends end by themselves");
  }
  co_await housekeeping_.close();
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
  append.segment_header = ring_.header_if_due();
  append.entry = footer_entry(header, segment->end, record.head);
  append.wall = header.wall;
  append.is_copy = wanted.original.has_value();
  if (record.type != RecordType::message) ++changing_[record.id];
  segment->end += record_length(header);
  ++segment->outstanding;
  append.segment = std::move(segment);
}

void Journal::on_batch(Batch& batch) {
  SegmentPtr segment = batch.appends.front()->segment;
  if (batch.outcome != AppendOutcome::not_tried) {
    ++counters_.batches;
    ++counters_.flushes;
    counters_.flush_times.add(std::chrono::duration_cast<Duration>(batch.took));
  }
  segment->outstanding -= batch.appends.size();
  if (batch.outcome == AppendOutcome::failed) ring_.note_failed(segment);
  for (Append* append : batch.appends) {
    if (append->entry.type != RecordType::message) note_returned(append->entry.id);
    append->outcome = batch.outcome;
    append->error = batch.error;
    if (batch.outcome == AppendOutcome::durable) on_durable(*append);
    append->waiter.wake();
  }
  ring_.note_returned(*segment);
}

void Journal::note_returned(mail::MailId id) {
  auto changing = changing_.find(id);
  check(changing != changing_.end(), "a record came back that was never placed");
  if (--changing->second == 0) changing_.erase(changing);
}

void Journal::on_durable(const Append& append) {
  OpenSegment& segment = *append.segment;
  ring_.note_durable(segment.header.number);  // the header came with the first record
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

}  // namespace hikyaku::spool
