// SPDX-License-Identifier: MIT
// The head of the log. Gives each record its place and its checksums, sends it through the committer, applies
// it to the index when it is on stable storage, and retries the batch of a failed flush once on another
// segment. Keeps the ring turning (housekeeping.cc, ring_policy.h): segments prepared ahead of need, footers,
// copying out of the oldest, and recycling. Loop thread. What order two records need between them is the
// caller's: the second is submitted when the first has returned.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>

#include "daemon/io/loop.h"
#include "daemon/io/nursery.h"
#include "daemon/mail/mail_sink.h"
#include "spool/committer.h"
#include "spool/copier.h"
#include "spool/disk.h"
#include "spool/ids.h"
#include "spool/index.h"
#include "spool/new_record.h"
#include "spool/recovery.h"
#include "spool/ring_policy.h"
#include "spool/segment_file.h"
#include "spool/workers.h"

namespace hikyaku::spool {

class Journal {
 public:
  // Writes into `first`, a segment whose header already says, durably, what recovery wants to be remembered.
  // `on_damage` hears of what is damaged and cannot be copied: a mail that is lost has to be given up.
  using SegmentPtr = std::shared_ptr<OpenSegment>;
  Journal(io::Loop& loop, Disk& disk, const SpoolOptions& options, Index& index, const Ids& ids,
          SegmentPtr first, const Recovered& recovered, Quarantine& quarantine, Copier::OnDamage on_damage);
  ~Journal();

  // Suspends until the record is on stable storage and in the index. Head and content within head_limit() and
  // content_limit(). Errors: the disk's; errc::operation_canceled after close() was called.
  Task<Result<void, DiskError>> append(NewRecord record);

  // Waits for all that was appended, then closes the segment with its footer, so that the next start need not
  // scan it.
  Task<void> close();

  // Whether a small new mail has a place, as far as is known; the chores look for one.
  bool takes_new_mail() const;
  // Whether there is room for what becomes of queued mail beyond the active segment.
  bool has_spare() const { return !ready_.empty(); }
  const SpoolCounters& counters() const { return counters_; }

 private:
  // A record on its way to a place; for a copy, what the index must still say when it gets there.
  struct Wanted {
    NewRecord record;
    std::optional<IndexEntry> original;
  };
  // Of a copy: `changed`, the original is no longer what it was; `no_room`, none just now. Nothing was
  // written.
  enum class Appended { durable, changed, no_room };

  Task<Copied> append_copy(NewRecord record, IndexEntry original);
  Task<Result<Appended, DiskError>> append_counted(const Wanted& wanted);
  Task<Result<Appended, DiskError>> append_somewhere(const Wanted& wanted);
  Task<Result<SegmentPtr, DiskError>> room_for(std::uint64_t length, const Wanted& wanted);
  bool may_wait_for_room(const Wanted& wanted) const;
  bool is_unchanged(mail::MailId id, const IndexEntry& original) const;
  bool leaves_reserve(std::uint64_t length, RecordUse use) const;
  static bool fits(const OpenSegment& segment, std::uint64_t length);
  static std::uint64_t room_in(const OpenSegment& segment);
  void place(Append& append, const Wanted& wanted, SegmentPtr segment);
  std::string current_header();
  void roll_over();
  void activate(SegmentPtr segment);
  RingState ring_state() const;

  void on_batch(Batch& batch);
  void note_returned(mail::MailId id);
  void on_durable(const Append& append);
  void on_failed(const SegmentPtr& segment);
  void note_closed(const ClosedSegment& segment);
  void note_flushed(const OpenSegment& segment);

  enum class Chore { nothing_to_do, done, failed };
  Task<void> housekeep();
  Task<Chore> next_chore();
  static Task<Chore> no_chore();
  Instant next_attempt() const;
  Task<Chore> prepare();
  Task<Chore> use_spare();
  Task<Chore> reclaim();
  Task<Chore> remove_oldest();
  Task<Chore> drop_ready();
  Task<Chore> drop_spare();
  Task<Chore> write_oldest_footer();
  Task<Chore> copy();
  Chore give_up_turning(const DiskError& why);
  SegmentHeader next_header(SegmentNumber oldest) const;
  Chore take_ready(Result<SegmentFile, DiskError> made);
  bool is_dead(SegmentNumber number) const;
  bool is_dying(SegmentNumber number) const;
  std::size_t outstanding_in(SegmentNumber number) const;
  SegmentNumber reclaimable() const;  // 0: none
  bool may_recycle(SegmentNumber number) const;
  bool may_remove() const;
  SegmentNumber oldest_needed() const;
  void forget(SegmentNumber number);
  void remake_directories();

  io::Loop& loop_;
  Disk& disk_;
  const std::uint64_t segment_size_;
  Index& index_;
  const Ids& ids_;
  Workers workers_;
  Committer committer_;
  Copier copier_;

  SegmentPtr active_;               // null: the last one failed or is full, and no next one may be taken
  std::deque<SegmentPtr> ready_;    // prepared, lowest number first
  std::deque<SegmentPtr> closing_;  // without footers yet, oldest first
  std::deque<std::string> spares_;  // files of an earlier run
  std::deque<ClosedSegment> closed_;
  std::array<std::uint8_t, 16> spool_;
  SegmentNumber next_number_;
  SegmentNumber newest_durable_;           // the newest whose header is on stable storage as in use
  bool header_is_due_ = false;             // the active one's goes with the next record
  std::optional<DiskError> is_short_;      // why the last attempt to get a ready segment failed
  SegmentNumber unfit_ = 0;                // recycling it has failed
  std::optional<DiskError> cannot_turn_;   // why the oldest could not be turned over just now
  Instant prepare_at_;                     // not before, after such a failure
  bool is_at_work_ = false;                // a chore is under way
  std::unique_ptr<DiskLock> second_lock_;  // where the directory had to be made again

  SpoolCounters counters_;
  bool is_closing_ = false;
  std::size_t appending_ = 0;
  std::unordered_map<mail::MailId, std::size_t>
      changing_;        // mails whose PROGRESS or DONE has a place and is on its way
  io::Event appended_;  // an append has ended
  io::Event room_;      // there may be room now, or a reason why not
  io::Event chores_;    // there may be something to do
  io::Cancel no_more_chores_;
  io::Nursery nursery_;
};

// An empty segment as the journal writes to it.
std::shared_ptr<OpenSegment> open_segment(SegmentFile file);

}  // namespace hikyaku::spool
