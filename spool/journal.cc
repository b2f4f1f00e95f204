// SPDX-License-Identifier: MIT
#include "spool/journal.h"

#include <algorithm>
#include <utility>

#include "daemon/base/error.h"

namespace hikyaku::spool {

std::shared_ptr<OpenSegment> open_segment(SegmentFile file) {
  auto segment = std::make_shared<OpenSegment>();
  segment->header = std::move(file.header);
  segment->seed = segment_seed(segment->header);
  segment->file = std::move(file.file);
  return segment;
}

Journal::Journal(io::Loop& loop, Disk& disk, const SpoolOptions& options, Index& index, const Ids& ids,
                 SegmentPtr first, const Recovered& recovered, Quarantine& quarantine,
                 Copier::OnDamage on_damage)
    : loop_(loop),
      disk_(disk),
      segment_size_(options.segment_size.bytes),
      index_(index),
      ids_(ids),
      workers_(loop, options.committer),
      committer_(loop, options.committer, [this](Batch& batch) { on_batch(batch); }),
      copier_(
          loop, disk, index, workers_, quarantine, head_limit(segment_size_),
          [this](NewRecord record, IndexEntry original) { return append_copy(std::move(record), original); },
          std::move(on_damage)),
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
