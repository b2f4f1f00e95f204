// SPDX-License-Identifier: MIT
#include "spool/view_log.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "spool/segment_file.h"

namespace hikyaku::spool {
namespace {

constexpr int kLooks = 100;

auto identity(const SegmentHeader& header) {
  return std::make_tuple(header.number, header.key, header.state);
}

bool is_same(const FoundFiles& a, const FoundFiles& b) {
  auto same_segment = [](const FoundSegment& x, const FoundSegment& y) {
    return x.path == y.path && identity(x.header) == identity(y.header);
  };
  auto same_alien = [](const Alien& x, const Alien& y) { return x.path == y.path; };
  return std::ranges::equal(a.segments, b.segments, same_segment) &&
         std::ranges::equal(a.aliens, b.aliens, same_alien);
}

SeenLog sorted_out(FoundFiles found) {
  SeenLog log;
  log.missing = missing_segments(found.segments);
  log.aliens = std::move(found.aliens);
  std::erase_if(log.missing, [&](SegmentNumber number) {
    return std::ranges::find(log.aliens, segment_path(number), &Alien::path) != log.aliens.end();
  });
  for (FoundSegment& segment : found.segments)
    (segment.header.state == SegmentState::in_use ? log.in_use : log.spare).push_back(std::move(segment));
  return log;
}

}  // namespace

// What two looks in a row agree on was so between them. A file that has another name by the time it is opened
// is an error of the look; if it is one each time, it has another cause.
Result<SeenLog, ViewError> look_at_log(Disk& disk) {
  auto names = disk.list("log");
  if (!names) return std::unexpected(to_view_error(names.error()));
  std::optional<FoundFiles> before;
  ViewError last{ViewErrorKind::always_changing,
                 "the segments in log/ change faster than they can be looked at"};
  for (int i = 0; i < kLooks; ++i) {
    auto found = find_segments(disk);
    if (!found && found.error().kind == SpoolErrorKind::wrong_format)
      return fail(ViewErrorKind::later_format, found.error().text);
    if (!found && i == kLooks - 1) last = {ViewErrorKind::read_failed, found.error().text};
    if (found && before && is_same(*before, *found)) return sorted_out(std::move(*found));
    before.reset();
    if (found) before = std::move(*found);
  }
  return std::unexpected(std::move(last));
}

bool is_unchanged(Disk& disk, const FoundSegment& segment) {
  auto file = disk.open_for_reading(segment.path);
  if (!file) return false;
  DecodedHeader now = read_segment_header(**file);
  return now.verdict == HeaderVerdict::ok && identity(now.header) == identity(segment.header);
}

std::map<SegmentNumber, ClosedSegment> closed_segments(const SeenLog& log) {
  std::map<SegmentNumber, ClosedSegment> all;
  for (const auto* segments : {&log.in_use, &log.spare})
    for (const FoundSegment& segment : *segments)
      for (const ClosedSegment& closed : segment.header.closed) all[closed.number] = closed;
  return all;
}

ViewError to_view_error(const DiskError& error) {
  bool is_missing =
      error.kind == std::errc::no_such_file_or_directory || error.kind == std::errc::not_a_directory;
  bool is_forbidden =
      error.kind == std::errc::permission_denied || error.kind == std::errc::operation_not_permitted;
  auto kind = is_missing     ? ViewErrorKind::missing
              : is_forbidden ? ViewErrorKind::not_permitted
                             : ViewErrorKind::read_failed;
  return {kind, error.text};
}

}  // namespace hikyaku::spool
