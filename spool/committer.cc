// SPDX-License-Identifier: MIT
#include "spool/committer.h"

#include <algorithm>
#include <utility>

#include "daemon/base/error.h"
#include "spool/faults.h"
#include "spool/segment_file.h"

namespace hikyaku::spool {
namespace {

constexpr std::size_t kMostHeldBack = 25;
constexpr std::chrono::milliseconds kLongestGathering(16);

}  // namespace

Committer::Committer(io::Loop& loop, CommitterMode mode, std::function<void(Batch&)> on_done)
    : loop_(loop), mode_(mode), on_done_(std::move(on_done)) {
  if (mode_ == CommitterMode::thread) thread_ = std::thread([this] { run(); });
}

Committer::~Committer() {
  check(submitted_ == 0, "the committer went with records in it");
  {
    Lock lock(mutex_);
    is_stopping_ = true;
  }
  work_.release();
  if (thread_.joinable()) thread_.join();
}

// Released once a turn: the sessions that one flush has woken answer in the same turn, and the first of them
// must not have the disk to itself. When they are many, the disk need not wait for the last of them either.
void Committer::submit(Append& append) {
  append.outcome = AppendOutcome::pending;
  if (submitted_++ == 0) outside_.emplace(loop_);
  if (gathering_.empty()) loop_.defer([this] { release(); });
  gathering_.push_back(&append);
  if (mode_ == CommitterMode::thread && gathering_.size() >= kMostHeldBack) release();
}

void Committer::release() {
  bool is_enough = false;
  {
    Lock lock(mutex_);
    waiting_.insert(waiting_.end(), gathering_.begin(), gathering_.end());
    count_arrivals(gathering_.size());
    is_enough = waiting_.size() >= batch_size_;
  }
  gathering_.clear();
  if (mode_ == CommitterMode::inline_on_loop)
    run_inline();
  else if (is_enough)
    work_.release();
}

void Committer::run() {
  Lock lock(mutex_);
  for (;;) {
    gather(lock);
    if (waiting_.empty()) return;
    Batch batch = take();
    std::size_t size = batch.appends.size();
    lock.unlock();
    commit(batch);
    const auto took = batch.took;
    loop_.post([this, batch = std::move(batch)]() mutable { hand_back(batch); });
    lock.lock();
    expect(size, took);
  }
}

// Clients that a flush has released mostly come back at once. If the next flush began without them, two
// halves would wait for each other's flushes for ever; so it gives them the time that a flush takes, if they
// need less. If they need more, two halves are better: the one works while the other's flush runs. Nobody
// waits who is alone, or who comes later than that.
void Committer::expect(std::size_t released, SteadyClock::duration flush) {
  auto now = SteadyClock::now();
  expected_ = released + waiting_.size();
  bool is_worth_it = back_after_ && *back_after_ * expected_ < flush * released_;
  gather_until_ = is_worth_it ? now + std::min<SteadyClock::duration>(flush, kLongestGathering) : now;
  released_ = released;
  released_at_ = now;
  arrived_ = 0;
  back_after_.reset();
}

void Committer::count_arrivals(std::size_t arrived) {
  arrived_ += arrived;
  if (!back_after_ && arrived_ >= released_) back_after_ = SteadyClock::now() - released_at_;
}

void Committer::gather(Lock& lock) {
  while (!is_stopping_ && waiting_.empty()) work_.acquire(lock);
  if (SteadyClock::now() >= gather_until_) return;
  batch_size_ = expected_;
  while (!is_stopping_ && waiting_.size() < batch_size_ && work_.acquire_until(lock, gather_until_)) continue;
  batch_size_ = 1;
}

void Committer::run_inline() {
  Lock lock(mutex_);
  while (!waiting_.empty()) {
    Batch batch = take();
    lock.unlock();
    commit(batch);
    hand_back(batch);
    lock.lock();
  }
}

// A batch does not span segments: each is one pwritev and one flush.
Batch Committer::take() {
  const auto& segment = waiting_.front()->segment;
  auto same = [&segment](const Append* append) { return append->segment == segment; };
  auto end = std::ranges::find_if_not(waiting_, same);
  Batch batch;
  batch.appends.assign(waiting_.begin(), end);
  waiting_.erase(waiting_.begin(), end);
  return batch;
}

void Committer::commit(Batch& batch) {
  OpenSegment& segment = *batch.appends.front()->segment;
  if (segment.is_broken) {
    batch.outcome = AppendOutcome::not_tried;
    return;
  }
  const auto began = SteadyClock::now();
  auto done = write_and_flush(batch);
  batch.took = SteadyClock::now() - began;
  batch.outcome = done ? AppendOutcome::durable : AppendOutcome::failed;
  if (done) return;
  segment.is_broken = true;
  batch.error = std::move(done.error());
}

Result<void, DiskError> Committer::write_and_flush(const Batch& batch) {
  static constexpr char kZeros[kRecordAlign] = {};
  OpenSegment& segment = *batch.appends.front()->segment;
  std::vector<std::string_view> pieces;
  pieces.reserve(batch.appends.size() * 3);
  Result<void, DiskError> done;
  for (const Append* append : batch.appends) {
    if (!append->segment_header.empty() && done)
      done = write_segment_header(*segment.file, segment.header.size, append->segment_header);
    for (std::string_view piece :
         {std::string_view(append->front), append->content, {kZeros, append->padding}})
      if (!piece.empty()) pieces.push_back(piece);
  }
  if (done) done = write_all(*segment.file, pieces, batch.appends.front()->entry.offset);
  if (!done || is_injected(Fault::no_flush_before_250)) return done;
  if (batch.appends.front()->is_copy && is_injected(Fault::free_before_copies_are_flushed)) return done;
  done = segment.file->flush();
  if (!done && is_injected(Fault::retry_failed_flush_on_same_segment)) done = segment.file->flush();
  return done;
}

void Committer::hand_back(Batch& batch) {
  submitted_ -= batch.appends.size();
  if (submitted_ == 0) outside_.reset();
  on_done_(batch);
}

}  // namespace hikyaku::spool
