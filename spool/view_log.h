// SPDX-License-Identifier: MIT
// What a reader without a lock sees of log/: which segments were in use at one moment, and whether one still
// is what it was. A segment is told by its header, never by its name: number, key and state together never
// come back once they have changed. Writes nothing, creates nothing. Blocking; any thread.
#pragma once

#include <map>
#include <vector>

#include "spool/found_segments.h"

namespace hikyaku::spool {

enum class ViewErrorKind {
  missing,          // there is no spool
  not_permitted,    // it is not ours to read
  read_failed,      // EIO and the like
  later_format,     // written by a later version of hikyaku
  always_changing,  // segments were reused again and again while they were read
};
using ViewError = Error<ViewErrorKind>;

struct SeenLog {
  std::vector<FoundSegment> in_use;    // by number
  std::vector<FoundSegment> spare;     // free, or prepared for what comes next: no mail is in them
  std::vector<Alien> aliens;           // files that are no part of the spool
  std::vector<SegmentNumber> missing;  // known from others' headers, neither reclaimed nor among the aliens
};

// All of it as it was at one moment.
Result<SeenLog, ViewError> look_at_log(Disk& disk);
// False also where it cannot be read.
bool is_unchanged(Disk& disk, const FoundSegment& segment);
// What later headers say of segments that were closed.
std::map<SegmentNumber, ClosedSegment> closed_segments(const SeenLog& log);

ViewError to_view_error(const DiskError& error);

}  // namespace hikyaku::spool
