// SPDX-License-Identifier: MIT
#include "spool/found_segments.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "daemon/base/text.h"
#include "spool/segment_file.h"

namespace hikyaku::spool {
namespace {

using SpoolId = std::array<std::uint8_t, 16>;

std::unexpected<SpoolError> cannot_read(const DiskError& error) {
  return fail(SpoolErrorKind::cannot_read, error.text);
}

Result<void, SpoolError> look_at_file(DiskFile& file, const std::string& path, FoundFiles& found) {
  DecodedHeader decoded = read_segment_header(file);
  if (decoded.verdict == HeaderVerdict::later_format)
    return fail(SpoolErrorKind::wrong_format, cat(path, " was written by a later version of hikyaku"));
  // A disk that cannot read for the moment must not make a segment look like a foreign file.
  if (decoded.verdict == HeaderVerdict::read_error)
    return fail(SpoolErrorKind::cannot_read, cat("the header of ", path, " cannot be read"));
  auto size = file.size();
  if (!size) return cannot_read(size.error());
  if (decoded.verdict == HeaderVerdict::ok)
    found.segments.push_back({path, std::move(decoded.header), *size});
  else
    found.aliens.push_back({path, "has no readable header and is set aside", Loss::whatever});
  return {};
}

Result<void, SpoolError> look_at(Disk& disk, const std::string& path, FoundFiles& found) {
  auto file = disk.open_for_reading(path);
  if (!file && !is_no_file(file.error())) return cannot_read(file.error());
  if (!file) {
    found.aliens.push_back({path, "is no file and is set aside", Loss::none});
    return {};
  }
  if (path.ends_with(".new"))
    found.unfinished.push_back(path);
  else if (path.ends_with(kSetAside))
    found.aliens.push_back({path, "was set aside by an earlier start", Loss::none});
  else
    return look_at_file(**file, path, found);
  return {};
}

// A segment of another spool is in the minority; where it is not, the daemon that was at work here last has
// opened the newest one.
SpoolId choose_spool(const std::vector<FoundSegment>& segments) {
  std::map<SpoolId, std::pair<std::size_t, WallTime>> weights;
  for (const FoundSegment& segment : segments) {
    auto& [count, newest] = weights[segment.header.spool];
    ++count;
    newest = std::max(newest, segment.header.created);
  }
  auto heaviest = std::ranges::max_element(weights, {}, [](const auto& weighed) { return weighed.second; });
  return heaviest == weights.end() ? SpoolId{} : heaviest->first;
}

bool has_right_name(const FoundSegment& segment) {
  return segment.path == segment_path(segment.header.number);
}

// Those with the right name first among the ones of one number.
void sort_by_number(std::vector<FoundSegment>& segments) {
  std::ranges::sort(segments, {}, [](const FoundSegment& segment) {
    return std::tuple(segment.header.number, !has_right_name(segment), segment.path);
  });
}

void take_out(FoundFiles& found, std::string_view reason, auto is_alien) {
  std::vector<FoundSegment> ours;
  for (FoundSegment& segment : found.segments) {
    if (is_alien(segment, ours))
      found.aliens.push_back({std::move(segment.path), std::string(reason), Loss::none});
    else
      ours.push_back(std::move(segment));
  }
  found.segments = std::move(ours);
}

}  // namespace

Result<FoundFiles, SpoolError> find_segments(Disk& disk) {
  auto names = disk.list("log");
  if (!names) return cannot_read(names.error());
  FoundFiles found;
  for (const std::string& name : *names) {
    auto looked = look_at(disk, cat("log/", name), found);
    if (!looked) return std::unexpected(looked.error());
  }
  SpoolId ours = choose_spool(found.segments);
  take_out(found, "belongs to another spool and is set aside",
           [&](const FoundSegment& segment, const auto&) { return segment.header.spool != ours; });
  sort_by_number(found.segments);
  take_out(found, "is a second file with one segment's number and is set aside",
           [](const FoundSegment& segment, const std::vector<FoundSegment>& taken) {
             return !taken.empty() && taken.back().header.number == segment.header.number;
           });
  return found;
}

std::string unused_name(Disk& disk, std::string path, std::string_view suffix) {
  for (bool is_taken = true; is_taken;) {
    path += suffix;
    auto file = disk.open_for_reading(path);
    is_taken = file || is_no_file(file.error());
  }
  return path;
}

// Two files may have each other's names: all go out of the way first. A cut in between leaves strays again.
Result<void, DiskError> give_right_names(Disk& disk, std::vector<FoundSegment>& segments) {
  std::vector<FoundSegment*> strays;
  for (FoundSegment& segment : segments)
    if (!has_right_name(segment)) strays.push_back(&segment);
  auto rename = [&](FoundSegment& stray, std::string to) {
    auto renamed = disk.rename(stray.path, to);
    if (renamed) stray.path = std::move(to);
    return renamed;
  };
  Result<void, DiskError> done;
  for (FoundSegment* stray : strays)
    if (done && !stray->path.ends_with(".stray"))
      done = rename(*stray, unused_name(disk, stray->path, ".stray"));
  for (FoundSegment* stray : strays)
    if (done) done = rename(*stray, segment_path(stray->header.number));
  if (done && !strays.empty()) done = disk.sync_directory("log");
  return done;
}

std::vector<SegmentNumber> missing_segments(const std::vector<FoundSegment>& segments) {
  SegmentNumber oldest = 0;
  std::set<SegmentNumber> named, present;
  for (const FoundSegment& segment : segments) {
    oldest = std::max(oldest, segment.header.oldest);
    present.insert(segment.header.number);
    for (const ClosedSegment& closed : segment.header.closed)
      if (closed.valid_length > records_begin()) named.insert(closed.number);
  }
  std::vector<SegmentNumber> missing;
  std::ranges::set_difference(named, present, std::back_inserter(missing));
  std::erase_if(missing, [&](SegmentNumber number) { return number < oldest; });
  return missing;
}

}  // namespace hikyaku::spool
