// SPDX-License-Identifier: MIT
#include "spool/view_log.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <tuple>

#include "daemon/base/text.h"
#include "spool/segment_file.h"

namespace hikyaku::spool {
namespace {

constexpr int kTries = 100;

// One look at every file, one after the other.
struct Pass {
  std::vector<SeenSegment> segments;
  std::vector<std::string> unreadable;
  bool is_whole = true;  // no name was gone before its file could be opened
};

auto identity(const SegmentHeader& header) {
  return std::make_tuple(header.number, header.key, header.state);
}

bool is_same(const SeenSegment& a, const SeenSegment& b) {
  return a.path == b.path && identity(a.header) == identity(b.header);
}

bool is_same(const Pass& a, const Pass& b) {
  auto are_same = [](const SeenSegment& x, const SeenSegment& y) { return is_same(x, y); };
  return a.is_whole && b.is_whole && a.unreadable == b.unreadable &&
         std::ranges::equal(a.segments, b.segments, are_same);
}

Result<void, ViewError> look_at(Disk& disk, std::string path, Pass& pass) {
  auto file = disk.open_for_reading(path);
  bool is_gone = !file && file.error().kind == std::errc::no_such_file_or_directory;
  if (is_gone) pass.is_whole = false;
  if (is_gone) return {};
  if (!file) return std::unexpected(to_view_error(file.error()));
  DecodedHeader decoded = read_segment_header(**file);
  if (decoded.verdict == HeaderVerdict::later_format)
    return fail(ViewErrorKind::later_format, cat(path, " was written by a later version of hikyaku"));
  if (decoded.verdict == HeaderVerdict::unreadable)
    pass.unreadable.push_back(std::move(path));
  else
    pass.segments.push_back({std::move(path), std::move(decoded.header)});
  return {};
}

Result<Pass, ViewError> look_at_all(Disk& disk) {
  auto names = disk.list("log");
  if (!names) return std::unexpected(to_view_error(names.error()));
  Pass pass;
  for (const std::string& name : *names) {
    if (name.ends_with(".new")) continue;  // being prepared
    auto looked = look_at(disk, cat("log/", name), pass);
    if (!looked) return std::unexpected(looked.error());
  }
  return pass;
}

// Of two files with one number the one with the right name is the segment, as for recovery.
bool comes_first(const SeenSegment& a, const SeenSegment& b) {
  auto rank = [](const SeenSegment& segment) {
    return std::make_tuple(segment.header.number, segment.path != segment_path(segment.header.number),
                           segment.path);
  };
  return rank(a) < rank(b);
}

SeenLog sorted_out(Pass pass) {
  SeenLog log;
  log.unreadable = std::move(pass.unreadable);
  std::ranges::sort(pass.segments, comes_first);
  for (SeenSegment& segment : pass.segments) {
    bool is_double = !log.in_use.empty() && log.in_use.back().header.number == segment.header.number;
    if (segment.header.state != SegmentState::in_use)
      log.spare.push_back(std::move(segment));
    else
      (is_double ? log.doubles : log.in_use).push_back(std::move(segment));
  }
  return log;
}

void for_each_header(const SeenLog& log, const std::function<void(const SegmentHeader&)>& use) {
  for (const auto* segments : {&log.in_use, &log.spare})
    for (const SeenSegment& segment : *segments) use(segment.header);
}

}  // namespace

// What two passes in a row agree on was so between them.
Result<SeenLog, ViewError> look_at_log(Disk& disk) {
  std::optional<Pass> before;
  for (int i = 0; i < kTries; ++i) {
    auto pass = look_at_all(disk);
    if (!pass) return std::unexpected(pass.error());
    if (before && is_same(*before, *pass)) return sorted_out(std::move(*pass));
    before = std::move(*pass);
  }
  return fail(ViewErrorKind::always_changing,
              "the segments in log/ change faster than they can be looked at");
}

bool is_unchanged(Disk& disk, const SeenSegment& segment) {
  auto file = disk.open_for_reading(segment.path);
  if (!file) return false;
  DecodedHeader now = read_segment_header(**file);
  return now.verdict == HeaderVerdict::ok && identity(now.header) == identity(segment.header);
}

std::map<SegmentNumber, ClosedSegment> closed_segments(const SeenLog& log) {
  std::map<SegmentNumber, ClosedSegment> all;
  for_each_header(log, [&](const SegmentHeader& header) {
    for (const ClosedSegment& closed : header.closed) all[closed.number] = closed;
  });
  return all;
}

std::vector<SegmentNumber> missing_segments(const SeenLog& log) {
  std::set<SegmentNumber> present;
  SegmentNumber oldest = 0;
  for_each_header(log, [&](const SegmentHeader& header) {
    present.insert(header.number);
    oldest = std::max(oldest, header.oldest);
  });
  std::vector<SegmentNumber> missing;
  for (const auto& [number, closed] : closed_segments(log))
    if (number >= oldest && !present.contains(number)) missing.push_back(number);
  return missing;
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
