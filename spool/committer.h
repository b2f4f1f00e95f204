// SPDX-License-Identifier: MIT
// Group commit. A thread takes everything that waits for one segment, writes it with one pwritev, flushes it
// with one fdatasync, and hands the batch back to the loop; meanwhile the next batch gathers. Records arrive
// here encoded, placed and checksummed; the committer knows nothing about mail. With
// CommitterMode::inline_on_loop there is no thread and a batch is what one turn of the loop has submitted.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "daemon/base/mutex.h"
#include "daemon/io/loop.h"
#include "spool/disk.h"
#include "spool/options.h"
#include "spool/segment.h"

namespace hikyaku::spool {

// A segment that is written to. Owned by the loop's thread, except that `file` and `is_broken` belong to the
// committer's while a record of the segment is submitted.
struct OpenSegment {
  SegmentHeader header;
  std::uint64_t seed = 0;
  std::unique_ptr<DiskFile> file;
  bool is_broken = false;                   // a write or flush has failed: final, nothing more is written
  std::uint64_t end = records_begin();      // where the next record will stand
  std::uint64_t flushed = records_begin();  // all before it is on stable storage
  std::uint64_t outstanding = 0;            // records placed and not yet handed back
  Footer footer;                            // of the records that are on stable storage
};

enum class AppendOutcome {
  pending,
  durable,
  failed,     // it was tried
  not_tried,  // its segment had failed before its turn came
};

// One record on its way. Lives in the frame of the coroutine that waits for it.
struct Append {
  explicit Append(io::Loop& loop) : waiter(loop) {}

  std::string front;           // header and head
  std::string_view content;    // lives until the record is handed back
  std::size_t padding = 0;     // zeros behind it
  std::string segment_header;  // written beside it where it is not empty
  std::shared_ptr<OpenSegment> segment;
  FooterEntry entry;
  WallTime wall;
  bool is_copy = false;  // Fault::free_before_copies_are_flushed
  AppendOutcome outcome = AppendOutcome::pending;
  std::optional<DiskError> error;  // where it failed
  io::Waiter waiter;
};

// Consecutive records of one segment.
struct Batch {
  std::vector<Append*> appends;
  AppendOutcome outcome = AppendOutcome::pending;
  std::optional<DiskError> error;
  std::chrono::steady_clock::duration took{0};  // writing and flushing
};

class Committer {
 public:
  // `on_done` gets every batch back, in order, on the loop's thread.
  Committer(io::Loop& loop, CommitterMode mode, std::function<void(Batch&)> on_done);
  Committer(const Committer&) = delete;
  ~Committer();

  void submit(Append& append);

 private:
  using SteadyClock = std::chrono::steady_clock;  // the disk's own speed, also where a test has another Clock

  void release();
  void run();
  void expect(std::size_t released, SteadyClock::duration flush) REQUIRES(mutex_);
  void count_arrivals(std::size_t arrived) REQUIRES(mutex_);
  void gather(Lock& lock) REQUIRES(mutex_);
  void run_inline();
  Batch take() REQUIRES(mutex_);
  void commit(Batch& batch);
  Result<void, DiskError> write_and_flush(const Batch& batch);
  void hand_back(Batch& batch);

  io::Loop& loop_;
  CommitterMode mode_;
  std::function<void(Batch&)> on_done_;
  std::size_t submitted_ = 0;                     // the loop's
  std::optional<io::Loop::OutsideWork> outside_;  // while something is submitted
  std::vector<Append*> gathering_;                // the loop's: submitted in this turn
  Mutex mutex_;
  Semaphore work_;
  std::vector<Append*> waiting_ GUARDED_BY(mutex_);
  std::size_t batch_size_ GUARDED_BY(mutex_) = 1;  // how many waiting appends wake the thread
  std::size_t released_ GUARDED_BY(mutex_) = 0;    // by the last flush
  SteadyClock::time_point released_at_ GUARDED_BY(mutex_);
  std::size_t arrived_ GUARDED_BY(mutex_) = 0;  // since the last flush
  // The time from the last flush until as many had arrived as that flush released.
  std::optional<SteadyClock::duration> back_after_ GUARDED_BY(mutex_);
  std::size_t expected_ GUARDED_BY(mutex_) = 0;  // arrivals until `gather_until_`, and what waits already
  SteadyClock::time_point gather_until_ GUARDED_BY(mutex_);
  bool is_stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace hikyaku::spool
