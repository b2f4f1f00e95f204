// SPDX-License-Identifier: MIT
// The records of one segment as a reader without a lock finds them: from its footer, or, where it has none,
// by a scan that a daemon may be writing into. Writes nothing. Blocking; any thread.
#pragma once

#include <vector>

#include "spool/scan.h"
#include "spool/view_log.h"

namespace hikyaku::spool {

struct SegmentRecords {
  std::vector<FooterEntry> records;  // by offset
  std::vector<Hole> damage;          // none is known of a segment that has a footer
  bool has_footer = false;
};

// `closed`: what a later header says of it; number 0 if none does. The error is that the file cannot be
// opened; what cannot be read in it is damage.
Result<SegmentRecords, DiskError> read_records(Disk& disk, const FoundSegment& segment,
                                               const ClosedSegment& closed);

}  // namespace hikyaku::spool
