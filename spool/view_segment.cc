// SPDX-License-Identifier: MIT
#include "spool/view_segment.h"

#include <algorithm>

#include "spool/segment_file.h"

namespace hikyaku::spool {
namespace {

bool has_damage(const Scan& scan) {
  return std::ranges::any_of(scan.holes, [](const Hole& hole) { return hole.is_damage; });
}

// A batch that was not there yet when the scan came by may be on stable storage when it reads the next one,
// which says so: the gap only looks like damage. What was flushed before the first scan ended is there for
// the second, or it is lost.
Scan scan_beside_a_writer(DiskFile& file, const SegmentHeader& header, const ClosedSegment& closed) {
  Scan scan = scan_segment(file, header, closed);
  if (!has_damage(scan)) return scan;
  std::uint64_t flushed = scan.flushed;
  scan = scan_segment(file, header, closed);
  for (Hole& hole : scan.holes) hole.is_damage = hole.begin < flushed;
  return scan;
}

}  // namespace

Result<SegmentRecords, DiskError> read_records(Disk& disk, const FoundSegment& segment,
                                               const ClosedSegment& closed) {
  auto file = disk.open_for_reading(segment.path);
  if (!file) return std::unexpected(file.error());
  auto footer = read_footer(**file, segment.header);
  if (footer) return SegmentRecords{std::move(footer->entries), {}, true};
  Scan scan = scan_beside_a_writer(**file, segment.header, closed);
  std::erase_if(scan.holes, [](const Hole& hole) { return !hole.is_damage; });
  return SegmentRecords{std::move(scan.entries), std::move(scan.holes), false};
}

}  // namespace hikyaku::spool
