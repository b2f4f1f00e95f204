// SPDX-License-Identifier: MIT
#include "spool/view_picture.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "daemon/base/checksum.h"
#include "daemon/base/text.h"
#include "spool/recovery.h"
#include "spool/segment_file.h"
#include "spool/stored.h"

namespace hikyaku::spool {
namespace {

constexpr int kPictures = 50;

std::uint64_t length_of(const FooterEntry& record) {
  return record_length(record.head_length, record.large ? 0 : record.content_length);
}

class Taking {
 public:
  Taking(Disk& disk, SeenLog log, std::optional<mail::MailId> only) : disk_(disk), only_(only) {
    picture_.log = std::move(log);
  }

  // nullopt: a segment was reused meanwhile.
  Result<std::optional<Picture>, ViewError> run() {
    auto closed = closed_segments(picture_.log);
    for (const FoundSegment& segment : picture_.log.in_use) {
      auto records = read_records(disk_, segment, closed[segment.header.number]);
      if (!records && is_unchanged(disk_, segment)) return std::unexpected(to_view_error(records.error()));
      if (!records) return std::nullopt;
      add(segment.header, std::move(*records));
    }
    if (!is_still_true()) return std::nullopt;
    return std::move(picture_);
  }

 private:
  void add(const SegmentHeader& header, SegmentRecords records) {
    picture_.index.add_segment(header.number, segment_seed(header), header.size);
    SeenRecords seen{records.records.size(), 0, records.has_footer, std::move(records.damage)};
    for (const FooterEntry& record : records.records) {
      seen.bytes += length_of(record);
      if (!only_ || record.id == *only_) apply(header.number, record);
    }
    picture_.records.push_back(std::move(seen));
  }

  void apply(SegmentNumber segment, const FooterEntry& record) {
    picture_.index.apply(segment, record);
    if (only_ && (record.type == RecordType::progress || record.folded))
      picture_.history.push_back({record.type, {segment, record.offset, record.head_length}});
  }

  // The segments that were in use at the moment of look_at_log() held every mail of that moment. None has
  // been given up since, so none of those mails was only where we have not looked.
  bool is_still_true() const {
    return std::ranges::all_of(picture_.log.in_use,
                               [&](const FoundSegment& segment) { return is_unchanged(disk_, segment); });
  }

  Disk& disk_;
  std::optional<mail::MailId> only_;
  Picture picture_;
};

constexpr std::size_t kBodyPiece = 1U << 20;

std::unexpected<mail::SourceError> damaged(mail::MailId id) {
  return fail(mail::SourceErrorKind::damaged,
              cat("the body of mail ", to_text(id), " in ", large_path(id), " is damaged"));
}

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
Result<Picture, ViewError> take_picture(Disk& disk, std::optional<mail::MailId> only) {
  for (int i = 0; i < kPictures; ++i) {
    auto log = look_at_log(disk);
    if (!log) return std::unexpected(log.error());
    auto picture = Taking(disk, std::move(*log), only).run();
    if (!picture) return std::unexpected(picture.error());
    if (*picture) return std::move(**picture);
  }
  return fail(ViewErrorKind::always_changing,
              "the daemon reuses segments faster than they can be read; try again when it has less to do");
}

Result<void, mail::SourceError> read_large(DiskFile& file, const RecordHeader& message,
                                           const std::function<bool(std::string_view)>& take) {
  Checksum sum(large_seed(message.id));
  std::string piece(kBodyPiece, '\0');
  for (std::uint64_t at = 0; at < message.content_length;) {
    auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kBodyPiece, message.content_length - at));
    auto got = file.read(std::span(piece).first(wanted), at);
    if (!got) return std::unexpected(to_source_error(got.error()));
    if (*got < wanted) return damaged(message.id);
    std::string_view bytes = std::string_view(piece).substr(0, wanted);
    sum.update(bytes);
    if (!take(bytes)) return {};
    at += wanted;
  }
  if (sum.digest() != message.content_checksum) return damaged(message.id);
  return {};
}

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
