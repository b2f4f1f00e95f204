// SPDX-License-Identifier: MIT
// The files in log/, judged by their headers alone: a file's name is only a hint. Never writes, so that a
// spool of a later format is left as it was. Blocking; used by recovery and by View.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "spool/damage.h"
#include "spool/disk.h"
#include "spool/options.h"
#include "spool/segment.h"

namespace hikyaku::spool {

struct FoundSegment {
  std::string path;
  SegmentHeader header;
  std::uint64_t file_size = 0;
};

// A file that is no part of this spool, why, and what it may cost.
struct Alien {
  std::string path;
  std::string reason;
  Loss loss = Loss::none;
};

struct FoundFiles {
  std::vector<FoundSegment> segments;  // of one spool, by number; each number once
  std::vector<Alien> aliens;
  std::vector<std::string> unfinished;  // "….new"
};

// Errors: a later format; a directory or file that exists but cannot be opened or read at all (without it,
// mail whose end is recorded there would be sent again).
Result<FoundFiles, SpoolError> find_segments(Disk& disk);

// Suffix of a file that could not be copied to corrupt/: the file stays out of the log for good.
inline constexpr std::string_view kSetAside = ".bad";

// `path` with `suffix` appended until no file has the name.
std::string unused_name(Disk& disk, std::string path, std::string_view suffix);

// Gives misnamed ones the names in their headers. `aliens` must be out of the way.
Result<void, DiskError> give_right_names(Disk& disk, std::vector<FoundSegment>& segments);

// The segments in which something was, as a later header says, that are no older than the oldest which the
// log still needs, and of which there is no file. One whose first flush failed has never held anything: it
// may have become another.
std::vector<SegmentNumber> missing_segments(const std::vector<FoundSegment>& segments);

}  // namespace hikyaku::spool
