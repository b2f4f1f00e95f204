// SPDX-License-Identifier: MIT
// The blocking part of opening a spool: lock, recovery, a segment of our own. Never writes to a segment of an
// earlier run. Runs on the pool.
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
// A directory has one daemon. Also where its mail is in a database.
Result<std::unique_ptr<DiskLock>, SpoolError> take_lock(Disk& disk);
Result<Started, SpoolError> start(Disk& disk, SpoolOptions options, WallTime now);

// How much of the time between the newest record and now counts as waiting: 0 if the clock went back or there
// is no record, and never more than an hour. A long stop cannot be distinguished from a clock that was set,
// and mail that is tried an hour early or kept some days longer does no harm, unlike mail that has expired.
Duration counted_downtime(WallTime newest, WallTime now);

}  // namespace hikyaku::spool
