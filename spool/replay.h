// SPDX-License-Identifier: MIT
// Gets the records of the log's segments, from footers where they are and by scanning where not, and keeps
// what the next segment's header is to say of each. Recovery's; on the pool.
#pragma once

#include <map>
#include <vector>

#include "spool/found_segments.h"
#include "spool/recovery_damage.h"

namespace hikyaku::spool {

// A segment that wants its footer, once the new segment's header is durable.
struct Unclosed {
  SegmentHeader header;
  Footer footer;
};

class Replay {
 public:
  Replay(Disk& disk, RecoveryDamage& damage) : disk_(disk), damage_(damage) {}

  // What a header says of its predecessors; those of all segments before the first is read.
  void note_predecessors(const SegmentHeader& header);
  // In the order of the log.
  Result<Footer, SpoolError> read(const FoundSegment& segment);

  // Of the newest ones that were read, newest last.
  std::vector<ClosedSegment> take_closed() { return std::move(read_); }
  std::vector<Unclosed> take_unclosed() { return std::move(unclosed_); }
  std::uint64_t unbroken() const { return unbroken_; }  // of the newest that was scanned

 private:
  Result<Footer, SpoolError> scan(const FoundSegment& segment, DiskFile& file);
  void settle(const SegmentHeader& header, const Footer& footer, std::uint64_t flushed);
  void leave_for_next_start(const SegmentHeader& header, std::uint64_t flushed);
  void note_footer(SegmentNumber number, std::uint64_t valid_length);

  Disk& disk_;
  RecoveryDamage& damage_;
  std::map<SegmentNumber, ClosedSegment> known_;
  std::vector<ClosedSegment> read_;
  std::vector<Unclosed> unclosed_;
  std::uint64_t unbroken_ = 0;
};

}  // namespace hikyaku::spool
