// SPDX-License-Identifier: MIT
#include "spool/replay.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "spool/scan.h"
#include "spool/segment_file.h"

namespace hikyaku::spool {
namespace {

constexpr std::size_t kScanPiece = 1U << 20;

Result<void, DiskError> write_again(DiskFile& file, std::uint64_t begin, std::uint64_t end) {
  for (std::uint64_t at = begin; at < end; at += kScanPiece) {
    auto bytes =
        read_exactly(file, at, static_cast<std::size_t>(std::min<std::uint64_t>(kScanPiece, end - at)));
    if (!bytes) return std::unexpected(bytes.error());
    auto written = write_all(file, *bytes, at);
    if (!written) return written;
  }
  return {};
}

// The flush of an earlier process may have failed. Then the kernel has forgotten that what it shows us is not
// on the disk, and the next flush does not report it: everything that may have been lost is written once
// more.
Result<void, DiskError> make_durable(DiskFile& file, const SegmentHeader& header, const Scan& scan) {
  if (scan.valid_length <= scan.flushed) return {};
  auto done = write_segment_header(file, header.size, encode_segment_header(header));
  if (done) done = write_again(file, std::max(scan.flushed, records_begin()), scan.valid_length);
  return done ? file.flush() : done;
}

}  // namespace

void Replay::note_predecessors(const SegmentHeader& header) {
  for (const ClosedSegment& closed : header.closed) known_[closed.number] = closed;
}

Result<Footer, SpoolError> Replay::read(const FoundSegment& segment) {
  auto file = disk_.open_for_writing(segment.path);
  if (!file) return fail(SpoolErrorKind::cannot_read, file.error().text);
  SegmentNumber number = segment.header.number;
  Result<Footer, SpoolError> records;
  if (auto footer = read_footer(**file, segment.header)) {
    note_footer(number, footer->valid_length);
    records = std::move(*footer);
  } else {
    records = scan(segment, **file);
    if (!records) return records;
  }
  read_.push_back(known_[number]);
  if (read_.size() > kMaxClosed) read_.erase(read_.begin());
  return records;
}

// What a killed process has written stands in the page cache and not yet on the disk: it is flushed before
// anything is built on it. What cannot be read is tried again: it may have passed. A disk that gives not even
// the header any more is dead, which is no damage of this segment.
Result<Footer, SpoolError> Replay::scan(const FoundSegment& segment, DiskFile& file) {
  auto flushed = file.flush();
  if (!flushed) return fail(SpoolErrorKind::io, flushed.error().text);
  const ClosedSegment known = known_[segment.header.number];
  Scan scan = scan_segment(file, segment.header, known);
  if (scan.has_read_errors) scan = scan_segment(file, segment.header, known);
  bool is_dead = scan.has_read_errors && read_segment_header(file).verdict != HeaderVerdict::ok;
  if (is_dead) return fail(SpoolErrorKind::cannot_read, cat(segment.path, " cannot be read"));
  unbroken_ = scan.unbroken;
  bool is_settled = damage_.note_scan(segment, scan, known) && !scan.has_read_errors;
  auto durable = is_settled ? make_durable(file, segment.header, scan) : Result<void, DiskError>();
  if (!durable) return fail(SpoolErrorKind::io, durable.error().text);
  Footer footer{scan.valid_length, scan.newest, scan.highest_id, std::move(scan.entries)};
  if (is_settled)
    settle(segment.header, footer, scan.flushed);
  else
    leave_for_next_start(segment.header, scan.flushed);
  return footer;
}

void Replay::settle(const SegmentHeader& header, const Footer& footer, std::uint64_t flushed) {
  known_[header.number] = {header.number, footer.valid_length, flushed};
  unclosed_.push_back({header, footer});
}

// With a footer, or with a shorter valid length, nobody would look at the damage again.
void Replay::leave_for_next_start(const SegmentHeader& header, std::uint64_t flushed) {
  ClosedSegment& closed = known_[header.number];
  if (closed.number == 0) closed.valid_length = footer_end(header.size);
  closed.number = header.number;
  closed.flushed = flushed;
}

void Replay::note_footer(SegmentNumber number, std::uint64_t valid_length) {
  ClosedSegment& closed = known_[number];
  if (closed.number == 0) closed.flushed = valid_length;
  closed.number = number;
  closed.valid_length = valid_length;
}

}  // namespace hikyaku::spool
