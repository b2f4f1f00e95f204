// SPDX-License-Identifier: MIT
// Everything blocking that opening a spool takes: lock, recovery, a segment of our own. Never goes on writing
// in a segment of an earlier run. Runs on the pool.
#pragma once

#include <memory>

#include "spool/committer.h"
#include "spool/ids.h"
#include "spool/recovery.h"

namespace hikyaku::spool {

struct Started {
  std::unique_ptr<DiskLock> lock;
  Recovered recovered;
  Ids ids;
  std::shared_ptr<OpenSegment> first;
  Duration downtime{0};
  std::uint64_t segment_size = 0;  // of new segments: what is asked for, or what a queued mail needs
};
Result<Started, SpoolError> start(Disk& disk, SpoolOptions options, WallTime now);

// What of the time between the newest record and now counts as waiting: nothing if the clock went back or
// there is no record, and never more than an hour. Nobody can tell a long stop from a clock that was set, and
// mail that is tried an hour early or kept some days longer does no harm, unlike mail that has expired.
Duration counted_downtime(WallTime newest, WallTime now);

}  // namespace hikyaku::spool
