// SPDX-License-Identifier: MIT
#include "spool/view_picture.h"

#include <algorithm>

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

  // Nothing: a segment was reused meanwhile.
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

}  // namespace hikyaku::spool
