// SPDX-License-Identifier: MIT
// What a reader without a lock sees of log/: which segments were in use at one moment, and whether one still
// is what it was. A segment is told by its header, never by its name: number, key and state together never
// come back once they have changed. Writes nothing, creates nothing. Blocking; any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "spool/disk.h"
#include "spool/segment.h"

namespace hikyaku::spool {

enum class ViewErrorKind {
  missing,          // there is no spool
  not_permitted,    // it is not ours to read
  read_failed,      // EIO and the like
  later_format,     // written by a later version of hikyaku
  always_changing,  // segments were reused again and again while they were read
};
using ViewError = Error<ViewErrorKind>;

struct SeenSegment {
  std::string path;
  SegmentHeader header;
};

struct SeenLog {
  std::vector<SeenSegment> in_use;      // by number, one of each
  std::vector<SeenSegment> spare;       // free, or prepared for what comes next: no mail is in them
  std::vector<SeenSegment> doubles;     // of one in use: a second file with its number
  std::vector<std::string> unreadable;  // files without a header
};

// All of it as it was at one moment.
Result<SeenLog, ViewError> look_at_log(Disk& disk);
// False also where it cannot be read.
bool is_unchanged(Disk& disk, const SeenSegment& segment);

// What later headers say of segments that were closed.
std::map<SegmentNumber, ClosedSegment> closed_segments(const SeenLog& log);
// Those that are not there although no header says that they were reclaimed.
std::vector<SegmentNumber> missing_segments(const SeenLog& log);

ViewError to_view_error(const DiskError& error);

}  // namespace hikyaku::spool
