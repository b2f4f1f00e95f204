// SPDX-License-Identifier: MIT
// What the ring continues with: segments prepared ahead of need, and the files of an earlier run that can be
// made segments again. Remembers why the last attempt to prepare a segment failed, and until when another is
// not worth it. Loop thread.
#pragma once

#include <array>
#include <deque>
#include <optional>
#include <string>

#include "daemon/io/loop.h"
#include "spool/committer.h"
#include "spool/recovery.h"
#include "spool/segment_file.h"

namespace hikyaku::spool {

inline constexpr Duration kAfterFailure = 1s;  // until a chore that has failed is tried again

using SegmentPtr = std::shared_ptr<OpenSegment>;

// An empty segment as the journal writes to it.
SegmentPtr open_segment(SegmentFile file);

class SegmentStock {
 public:
  // `next_number` is the number of the segment to be prepared next.
  SegmentStock(io::Loop& loop, std::uint64_t segment_size, const Recovered& recovered,
               SegmentNumber next_number);

  std::size_t ready() const { return ready_.size(); }
  SegmentPtr take_first();         // the lowest number; there is one
  SegmentPtr take_last();          // the highest number; nullptr if there is none
  void put_back(SegmentPtr last);  // what take_last() returned

  // Paths of files of an earlier run.
  std::size_t spares() const { return spares_.size(); }
  std::string take_spare();
  void add_spare(std::string path) { spares_.push_back(std::move(path)); }

  // The header of the segment to be prepared next. The caller adds highest id and oldest segment.
  SegmentHeader next_header() const;
  // The result of preparing that segment. After an error the next attempt is worth while at retry_at().
  void add(Result<SegmentFile, DiskError> prepared);
  // Why the last attempt failed; nullopt if it succeeded.
  const std::optional<DiskError>& shortage() const { return shortage_; }
  bool may_try() const { return loop_.now() >= retry_at_; }
  Instant retry_at() const { return retry_at_; }

 private:
  io::Loop& loop_;
  std::uint64_t segment_size_;
  std::array<std::uint8_t, 16> spool_;
  SegmentNumber next_number_;
  std::deque<SegmentPtr> ready_;  // lowest number first
  std::deque<std::string> spares_;
  std::optional<DiskError> shortage_;
  Instant retry_at_;
};

}  // namespace hikyaku::spool
