// SPDX-License-Identifier: MIT
// Reads a segment without a footer record by record and verifies everything. What is broken costs itself
// only: after it the scan tries every 8-byte-aligned position, and the keyed checksums decide. Blocking;
// reads through a window of a few MiB, whatever the segment's size.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/mail/mail_id.h"
#include "spool/damage.h"
#include "spool/disk.h"
#include "spool/record.h"
#include "spool/segment.h"

namespace hikyaku::spool {

// The bytes of a file, a stretch at a time. What cannot be read (EIO) is zeros: damage for a checksum to
// find.
class Window {
 public:
  Window(DiskFile& file, std::uint64_t end) : file_(file), end_(end) {}
  // `length` bytes from `offset`, fewer at the end; valid until the next call.
  std::string_view at(std::uint64_t offset, std::size_t length);
  std::uint64_t end() const { return end_; }
  bool has_failed() const { return has_failed_; }  // something could not be read

 private:
  void load(std::uint64_t offset, std::size_t length);
  void load_piecewise(std::size_t length);

  DiskFile& file_;
  std::uint64_t end_;
  std::uint64_t begin_ = 0;
  std::string buffer_;
  bool has_failed_ = false;
};

// A stretch in which no intact record stands.
struct Hole {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  mail::MailId id;         // whose record it was, where its header is intact; else 0
  bool is_damage = false;  // it was on stable storage once; otherwise the end of a batch that was never
                           // acknowledged
  std::optional<LostRecord> record;  // of damage: what can be told of the record that began it
};

struct Scan {
  std::vector<FooterEntry> entries;  // intact records, by offset
  std::vector<Hole> holes;           // between them and behind them, where something but zeros stands
  std::uint64_t valid_length = records_begin();  // the end of the last intact record
  std::uint64_t unbroken = records_begin();      // the end of the last one before any hole
  std::uint64_t flushed = 0;                     // all before it was on stable storage once
  WallTime newest;
  mail::MailId highest_id;
  bool has_read_errors = false;  // what could not be read counts as zeros
};

// What a footer says of an intact record.
FooterEntry footer_entry(const RecordHeader& header, std::uint64_t offset, std::string_view head);

// `closed`: what a later segment's header says of this one; its number is 0 if none does.
Scan scan_segment(DiskFile& file, const SegmentHeader& header, const ClosedSegment& closed);

}  // namespace hikyaku::spool
