// SPDX-License-Identifier: MIT
// A segment's frame as bytes: the header, in its first and in its last block, and the footer, which lists the
// records of a closed segment. Pure; FORMAT.md has the tables, and says when each is written and trusted.
//
//   0        4096                                        size-4096     size
//   | header | records → ·······  ← facts | footer entries | trailer | header |
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/bytes.h"
#include "daemon/base/clock.h"
#include "spool/record.h"

namespace hikyaku::spool {

inline constexpr std::uint64_t kBlock = 4096;
// One sector: a power cut leaves the old one or the new one.
inline constexpr std::size_t kSegmentHeader = 512;
inline constexpr std::size_t kFooterEntry = 40;
inline constexpr std::size_t kFooterFacts = 20;
inline constexpr std::size_t kFooterTrailer = 64;
// What a record takes of the footer at most.
inline constexpr std::size_t kFooterShare = kFooterEntry + kFooterFacts;
inline constexpr std::size_t kMaxClosed = 16;
inline constexpr ByteSize kMinSegment = 64_KiB;
inline constexpr ByteSize kMaxSegment = 1_GiB;

using SegmentNumber = std::uint64_t;  // grows by one a segment, never used twice; 0 means no segment

enum class SegmentState : std::uint32_t {
  free = 1,      // reserved for recycling: the number is the last one it had, its records are gone
  prepared = 2,  // filled with zeros, the key is drawn; no record in it has ever been acknowledged
  in_use = 3,    // being written or closed
};

// How far a closed segment is valid; bytes behind `end` are never read again. A broken record before
// `flushed` is damage. Between `flushed` and `end` there was only the last batch, of which a power cut may
// have left any part.
struct ClosedSegment {
  SegmentNumber number = 0;
  std::uint64_t valid_length = 0;
  std::uint64_t flushed = 0;
  bool operator==(const ClosedSegment&) const = default;
};

struct SegmentHeader {
  SegmentState state = SegmentState::prepared;
  SegmentNumber number = 0;
  std::array<std::uint8_t, 16> key{};
  std::uint64_t size = 0;
  std::array<std::uint8_t, 16> spool{};  // the same in all segments of one spool
  mail::MailId highest_id;               // the highest that had been assigned when the segment came into use
  SegmentNumber oldest = 0;              // the log's oldest segment at that time; reserved for the ring
  WallTime created;
  std::vector<ClosedSegment> closed;  // its predecessors, newest last; at most kMaxClosed
  bool operator==(const SegmentHeader&) const = default;
};

std::string encode_segment_header(const SegmentHeader& header);  // kSegmentHeader bytes
enum class HeaderVerdict {
  ok,
  unreadable,  // the bytes are not a header
  later_format,
  read_error,  // the disk cannot read the bytes
};
struct DecodedHeader {
  HeaderVerdict verdict = HeaderVerdict::unreadable;
  SegmentHeader header;
};
DecodedHeader decode_segment_header(std::string_view bytes);

// What all checksums inside the segment start from.
std::uint64_t segment_seed(const SegmentHeader& header);

constexpr std::uint64_t records_begin() { return kBlock; }
constexpr std::uint64_t footer_end(std::uint64_t segment_size) { return segment_size - kBlock; }
// Where the footer of so many records begins, if each has facts.
constexpr std::uint64_t footer_begin(std::uint64_t segment_size, std::uint64_t records) {
  return footer_end(segment_size) - kFooterTrailer - records * kFooterShare;
}
// The largest head and content that a record in such a segment may have; both fit together.
std::size_t head_limit(std::uint64_t segment_size);
std::size_t content_limit(std::uint64_t segment_size);

// What lists ask of a mail, so that they need not read its record. Zero is unknown: version 0.1 wrote no facts.
struct Facts {
  WallTime arrival{};          // in whole seconds; MESSAGE
  WallTime written{};          // when the mail's state was written down
  std::uint32_t attempts = 0;  // as next_wait
  std::uint32_t reason = 0;    // mail::reason_code(); as next_wait
  bool operator==(const Facts&) const = default;
};

struct FooterEntry {
  mail::MailId id;
  std::uint32_t offset = 0;
  std::uint32_t head_length = 0;
  std::uint64_t content_length = 0;
  Duration next_wait{0};  // PROGRESS, and MESSAGE with progress folded in
  RecordType type = RecordType::done;
  bool large = false;   // MESSAGE
  bool held = false;    // as next_wait
  bool folded = false;  // MESSAGE
  Facts facts{};        // MESSAGE and PROGRESS
  bool operator==(const FooterEntry&) const = default;
};

struct Footer {
  std::uint64_t valid_length = 0;
  WallTime newest;                   // the wall time of the newest record
  mail::MailId highest_id;           // of those recorded here
  std::vector<FooterEntry> entries;  // by offset
  bool operator==(const Footer&) const = default;
};

// Ends at footer_end(). The facts are left out where it would have more than `room` bytes with them.
std::string encode_footer(const Footer& footer, std::uint64_t seed, std::uint64_t room);
// How many bytes the footer has that the trailer (the last kFooterTrailer bytes) belongs to; nullopt if its
// checksum is wrong or the footer would not fit.
std::optional<std::uint64_t> decode_footer_length(std::string_view trailer, std::uint64_t segment_size,
                                                  std::uint64_t seed);
std::optional<Footer> decode_footer(std::string_view bytes, std::uint64_t segment_size, std::uint64_t seed);

// "log/000000000000002a", and the name under which it is prepared.
std::string segment_path(SegmentNumber number);
std::string preparing_path(SegmentNumber number);

}  // namespace hikyaku::spool
