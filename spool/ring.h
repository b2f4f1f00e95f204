// SPDX-License-Identifier: MIT
// The ring of segments: the active one, the stock of those to come, and those that are closed; and where a
// record goes: into the active segment, the next one, or nowhere for now. ring_policy.h has the decisions,
// Housekeeping does the chores that keep the ring turning. Loop thread.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "daemon/io/loop.h"
#include "spool/committer.h"
#include "spool/ids.h"
#include "spool/index.h"
#include "spool/recovery.h"
#include "spool/ring_policy.h"
#include "spool/segment_stock.h"

namespace hikyaku::spool {

class Ring {
 public:
  // `first` becomes the active segment; `index` and `ids` outlive the ring.
  Ring(io::Loop& loop, std::uint64_t segment_size, Index& index, const Ids& ids, SegmentPtr first,
       const Recovered& recovered);

  // The active segment with room for a record of `length` bytes; suspends while room may still be made.
  // nullptr only for a copy, which never waits: there is no room for it now. Errors: why there will be none.
  Task<Result<SegmentPtr, DiskError>> room_for(std::uint64_t length, RecordUse use, bool is_copy);
  // Whether a small new mail has a place, as far as is known; housekeeping looks for one.
  bool takes_new_mail() const;
  // Whether there is room for what becomes of queued mail beyond the active segment.
  bool has_spare() const { return stock_.ready() != 0; }

  // The active segment's header, encoded, if it must be written beside the next record; else empty.
  std::string header_if_due();
  // A record of segment `number`, and with it the segment's header, is on stable storage.
  void note_durable(SegmentNumber number);
  // A write or flush failed: nothing more is written to `segment`.
  void note_failed(const SegmentPtr& segment);
  // A batch of `segment` has been handed back.
  void note_returned(const OpenSegment& segment);

  // For Housekeeping. A segment that a chore has taken out belongs to the chore until it is put back.

  SegmentStock& stock() { return stock_; }
  // The next chore, which is under way until end_chore().
  RingChore begin_chore();
  void end_chore(ChoreOutcome outcome);
  // Suspends until there may be something to do.
  Task<void> wait_for_chore(io::Cancel& cancel);
  // The header of the segment to be prepared next.
  SegmentHeader next_header() const;
  // The segment to be recycled or removed next; 0 if none may be.
  SegmentNumber reclaimable() const;
  bool is_unfit(SegmentNumber number) const { return number == unfit_; }
  // The oldest segment cannot be turned over just now. `unfit`: recycling that segment has failed.
  void note_cannot_turn(const DiskError& why, SegmentNumber unfit = 0);
  // The segment's file is gone, or another segment's.
  void forget(SegmentNumber number);
  // Nothing is appended any more.
  void close_active();
  // The oldest closed segment without a footer; nullptr if there is none.
  SegmentPtr take_closing();

 private:
  RingState state() const;
  bool may_wait_for_room(RecordUse use) const;
  bool leaves_reserve(std::uint64_t length, RecordUse use) const;
  void roll_over();
  void activate(SegmentPtr segment);
  void note_closed(const ClosedSegment& segment);
  bool is_dead(SegmentNumber number) const;
  bool is_dying(SegmentNumber number) const;
  std::size_t outstanding_in(SegmentNumber number) const;
  bool may_recycle(SegmentNumber number) const;

  io::Loop& loop_;
  const std::uint64_t segment_size_;
  Index& index_;
  const Ids& ids_;

  SegmentPtr active_;  // nullptr: the last one failed or is full, and no next one may be taken
  SegmentStock stock_;
  std::deque<SegmentPtr> closing_;  // without footers yet, oldest first
  std::deque<ClosedSegment> closed_;
  SegmentNumber newest_durable_;          // the newest whose header is on stable storage as in use
  bool header_is_due_ = false;            // the active one's goes with the next record
  SegmentNumber unfit_ = 0;               // recycling it has failed
  std::optional<DiskError> cannot_turn_;  // why the oldest could not be turned over just now
  bool is_at_work_ = false;               // a chore is under way
  io::Event room_;                        // there may be room now, or a reason why not
  io::Event chores_;                      // there may be something to do
};

}  // namespace hikyaku::spool
