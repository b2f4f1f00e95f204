// SPDX-License-Identifier: MIT
// The head of the log. Gives each record its place and its checksums, sends it through the committer, applies
// it to the index when it is on stable storage, and retries the batch of a failed flush once on another
// segment. Ring has the segments, Housekeeping keeps them turning. Loop thread. What order two records need
// between them is the caller's: the second is submitted when the first has returned.
#pragma once

#include <optional>
#include <unordered_map>

#include "daemon/io/loop.h"
#include "spool/committer.h"
#include "spool/copier.h"
#include "spool/disk.h"
#include "spool/housekeeping.h"
#include "spool/ids.h"
#include "spool/index.h"
#include "spool/new_record.h"
#include "spool/recovery.h"
#include "spool/ring.h"
#include "spool/workers.h"

namespace hikyaku::spool {

class Journal {
 public:
  // Writes into `first`, a segment whose header already says, durably, what recovery wants to be remembered.
  // `on_damage` hears of what is damaged and cannot be copied: a mail that is lost has to be given up.
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
  bool takes_new_mail() const { return ring_.takes_new_mail(); }
  // Whether there is room for what becomes of queued mail beyond the active segment.
  bool has_spare() const { return ring_.has_spare(); }
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
  bool is_unchanged(mail::MailId id, const IndexEntry& original) const;
  void place(Append& append, const Wanted& wanted, SegmentPtr segment);
  void on_batch(Batch& batch);
  void note_returned(mail::MailId id);
  void on_durable(const Append& append);

  io::Loop& loop_;
  Index& index_;
  Workers workers_;
  Committer committer_;
  Copier copier_;
  Ring ring_;
  SpoolCounters counters_;
  bool is_closing_ = false;
  std::size_t appending_ = 0;
  // Mails whose PROGRESS or DONE has a place and is on its way.
  std::unordered_map<mail::MailId, std::size_t> changing_;
  io::Event appended_;  // an append has ended
  Housekeeping housekeeping_;
};

}  // namespace hikyaku::spool
