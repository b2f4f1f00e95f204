// SPDX-License-Identifier: MIT
// The head of the log. Gives each record its place and its checksums, sends it through the committer, and
// applies it to the index when it is on stable storage. Rolls over to a next segment that is prepared ahead
// of need, retries the batch of a failed flush once on another segment, writes footers, and deletes the
// oldest segment when nothing in it is alive. Loop thread. What order two records need between them is the
// caller's: the second is submitted when the first has returned.
#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "daemon/io/loop.h"
#include "daemon/io/nursery.h"
#include "daemon/mail/mail_sink.h"
#include "spool/committer.h"
#include "spool/disk.h"
#include "spool/ids.h"
#include "spool/index.h"
#include "spool/recovery.h"
#include "spool/segment_file.h"
#include "spool/workers.h"

namespace hikyaku::spool {

struct NewRecord {
  RecordType type = RecordType::done;
  mail::MailId id;
  std::string head;
  std::string_view content;            // lives until append() returns; empty for a large body
  bool large = false;                  // MESSAGE
  std::uint64_t content_length = 0;    // of a large body
  std::uint64_t content_checksum = 0;  // of a large body
  Duration next_wait{0};               // PROGRESS, for the index
  bool held = false;                   // PROGRESS, for the index
};

class Journal {
 public:
  // Writes into `first`, a segment whose header already says, durably, what recovery wants to be remembered.
  using SegmentPtr = std::shared_ptr<OpenSegment>;

  Journal(io::Loop& loop, Disk& disk, const SpoolOptions& options, Index& index, const Ids& ids,
          SegmentPtr first, const Recovered& recovered);
  ~Journal();

  // Suspends until the record is on stable storage and in the index. Head and content within head_limit() and
  // content_limit(). Errors: no_space, write_failed; shutting_down after close() was called.
  Task<Result<void, mail::SinkError>> append(NewRecord record);

  // Waits for all that was appended, then closes the segment with its footer, so that the next start need not
  // scan it.
  Task<void> close();

  bool is_healthy() const { return is_healthy_ && active_ != nullptr; }
  const SpoolCounters& counters() const { return counters_; }

 private:
  Task<Result<void, mail::SinkError>> append_somewhere(const NewRecord& record);
  Task<Result<SegmentPtr, mail::SinkError>> room_for(std::uint64_t length);
  static bool fits(const OpenSegment& segment, std::uint64_t length);
  void place(Append& append, const NewRecord& record, SegmentPtr segment);
  std::string current_header();
  void roll_over();
  void activate(SegmentPtr segment);

  void on_batch(Batch& batch);
  void on_durable(const Append& append);
  void on_failed(const SegmentPtr& segment);

  enum class Chore { nothing_to_do, done, failed };
  Task<void> housekeep();
  Task<Chore> next_chore();
  Task<Chore> prepare();
  Task<Chore> write_oldest_footer();
  Task<Chore> delete_oldest();
  bool may_delete(SegmentNumber number) const;

  io::Loop& loop_;
  Disk& disk_;
  const std::uint64_t segment_size_;
  Index& index_;
  const Ids& ids_;
  Workers workers_;
  Committer committer_;

  SegmentPtr active_;               // null: the last one failed or is full, and no next one is ready
  SegmentPtr next_;                 // prepared
  std::deque<SegmentPtr> closing_;  // without footers yet, oldest first
  std::deque<ClosedSegment> closed_;
  std::array<std::uint8_t, 16> spool_;
  SegmentNumber next_number_;
  SegmentNumber newest_durable_;  // the newest whose header is on stable storage as in use
  bool header_is_due_ = false;    // the active one's goes with the next record
  std::optional<mail::SinkError> cannot_prepare_;

  bool is_healthy_ = true;
  SpoolCounters counters_;
  bool is_closing_ = false;
  std::size_t appending_ = 0;
  io::Event appended_;  // an append has ended
  io::Event prepared_;  // next_ or cannot_prepare_ has changed
  io::Event chores_;    // there may be something to do
  io::Cancel no_more_chores_;
  io::Nursery nursery_;
};

// An empty segment as the journal writes to it.
std::shared_ptr<OpenSegment> open_segment(SegmentFile file);
mail::SinkError to_sink_error(const DiskError& error);

}  // namespace hikyaku::spool
