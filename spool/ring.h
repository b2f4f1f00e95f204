// SPDX-License-Identifier: MIT
// The ring of segments: the active one, those prepared ahead of need, those that are closed, and the files of
// an earlier run; and where a record goes: into the active segment, the next one, or nowhere for now.
// ring_policy.h has the decisions, Housekeeping does the chores that keep the ring turning. Loop thread.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "daemon/io/loop.h"
#include "spool/committer.h"
#include "spool/ids.h"
#include "spool/index.h"
#include "spool/recovery.h"
#include "spool/ring_policy.h"
#include "spool/segment_file.h"

namespace hikyaku::spool {

using SegmentPtr = std::shared_ptr<OpenSegment>;

// An empty segment as the journal writes to it.
SegmentPtr open_segment(SegmentFile file);

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
  bool has_spare() const { return !ready_.empty(); }

  // The active segment's header, encoded, if it must be written beside the next record; else empty.
  std::string header_if_due();
  // A record of segment `number`, and with it the segment's header, is on stable storage.
  void note_durable(SegmentNumber number);
  // A write or flush failed: nothing more is written to `segment`.
  void note_failed(const SegmentPtr& segment);
  // A batch of `segment` has been handed back.
  void note_returned(const OpenSegment& segment);

 private:
  friend class Housekeeping;

  RingState state() const;
  bool may_wait_for_room(RecordUse use) const;
  bool leaves_reserve(std::uint64_t length, RecordUse use) const;
  void roll_over();
  void activate(SegmentPtr segment);
  void note_closed(const ClosedSegment& segment);

  SegmentNumber reclaimable() const;  // 0: none
  bool is_dead(SegmentNumber number) const;
  bool is_dying(SegmentNumber number) const;
  std::size_t outstanding_in(SegmentNumber number) const;
  bool may_recycle(SegmentNumber number) const;
  bool may_remove() const;
  SegmentNumber oldest_needed() const;

  io::Loop& loop_;
  const std::uint64_t segment_size_;
  Index& index_;
  const Ids& ids_;

  SegmentPtr active_;               // null: the last one failed or is full, and no next one may be taken
  std::deque<SegmentPtr> ready_;    // prepared, lowest number first
  std::deque<SegmentPtr> closing_;  // without footers yet, oldest first
  std::deque<std::string> spares_;  // files of an earlier run
  std::deque<ClosedSegment> closed_;
  std::array<std::uint8_t, 16> spool_;
  SegmentNumber next_number_;
  SegmentNumber newest_durable_;          // the newest whose header is on stable storage as in use
  bool header_is_due_ = false;            // the active one's goes with the next record
  std::optional<DiskError> is_short_;     // why the last attempt to get a ready segment failed
  SegmentNumber unfit_ = 0;               // recycling it has failed
  std::optional<DiskError> cannot_turn_;  // why the oldest could not be turned over just now
  Instant prepare_at_;                    // not before, after such a failure
  bool is_at_work_ = false;               // a chore is under way
  io::Event room_;                        // there may be room now, or a reason why not
  io::Event chores_;                      // there may be something to do
};

}  // namespace hikyaku::spool
