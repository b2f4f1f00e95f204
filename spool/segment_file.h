// SPDX-License-Identifier: MIT
// Operations on a segment's file as a whole. Blocking: pool or recovery only.
#pragma once

#include <memory>
#include <string_view>

#include "spool/disk.h"
#include "spool/segment.h"

namespace hikyaku::spool {

struct SegmentFile {
  std::unique_ptr<DiskFile> file;
  SegmentHeader header;
};

// A new segment, all its blocks written and flushed and its name durable, so that a commit into it needs no
// file-system metadata. Until the last step it has a name that recovery removes. `header` gets a fresh key;
// its number must be new.
Result<SegmentFile, DiskError> prepare_segment(Disk& disk, SegmentHeader header);
// The same from a file whose records are not needed any more: marked free, renamed, `log/` synced, marked
// prepared under a fresh key, each step durable before the next. `header.size` is the file's. May be tried
// again after an error, with the same arguments.
Result<SegmentFile, DiskError> recycle_segment(Disk& disk, const std::string& path, SegmentHeader header);
// Durable when it returns. A missing file counts as success.
Result<void, DiskError> delete_segment(Disk& disk, SegmentNumber number);

// From `begin` to `end`: with unwritten extents the first flush of each block would cost a journal commit.
Result<void, DiskError> fill_with_zeros(DiskFile& file, std::uint64_t begin, std::uint64_t end);

// Both copies. Does not flush.
Result<void, DiskError> write_segment_header(DiskFile& file, std::uint64_t size, std::string_view header);
// The first copy, or the last where the first is unreadable.
DecodedHeader read_segment_header(DiskFile& file);

// Writes and flushes it.
Result<void, DiskError> write_footer(DiskFile& file, const Footer& footer, std::uint64_t size,
                                     std::uint64_t seed);
// nullopt if there is no footer that can be trusted.
std::optional<Footer> read_footer(DiskFile& file, const SegmentHeader& header);

}  // namespace hikyaku::spool
