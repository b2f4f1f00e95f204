// SPDX-License-Identifier: MIT
// One record of the log as bytes: a header of 64 bytes with its own checksum, then the head (a message's
// envelope or its progress), then the content where it is in the log, then zeros up to a multiple of eight.
// Head and content have a checksum each, so that an envelope can be read and trusted without its content.
// Pure; FORMAT.md has the table.
//
// All three checksums are seeded from the segment's key and number and from the record's position: neither
// what a recycled file held before, nor record-like bytes in a body, nor a copy of a true record elsewhere is
// ever taken for a record.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"
#include "daemon/mail/mail_id.h"

namespace hikyaku::spool {

enum class RecordType : std::uint16_t { message = 1, progress = 2, done = 3 };

inline constexpr std::size_t kRecordHeader = 64;
inline constexpr std::size_t kRecordAlign = 8;
inline constexpr std::uint32_t kMaxHead = 16U << 20;    // about 20,000 recipients with every parameter
inline constexpr std::uint32_t kMaxContent = 1U << 20;  // longer content has a file of its own

struct RecordHeader {
  RecordType type = RecordType::done;
  bool large = false;   // MESSAGE only: the content is in large/, not here
  bool folded = false;  // MESSAGE only: the head goes on with the newest progress
  std::uint32_t head_length = 0;
  std::uint64_t content_length = 0;
  mail::MailId id;
  WallTime wall;  // when it was written; used only for display and downtime()
  std::uint64_t head_checksum = 0;
  std::uint64_t content_checksum = 0;  // of a large body: large_seed()
  std::uint32_t flushed = 0;  // how much of the segment was known to be on stable storage then: what is
                              // broken before that is damage, what is broken behind it was never acknowledged
  bool operator==(const RecordHeader&) const = default;
};

// What the checksums of the record at `offset` in a segment are seeded with.
struct RecordSeed {
  RecordSeed(std::uint64_t segment_seed, std::uint64_t offset);
  std::uint64_t header;
  std::uint64_t head;
  std::uint64_t content;
};
// A large body's checksum outlives any segment: only its id seeds it.
std::uint64_t large_seed(mail::MailId id);

std::string encode_record_header(const RecordHeader& header, const RecordSeed& seed);
// nullopt unless `bytes` begin with a header that was sealed with this seed and is possible: known type and
// flags, lengths within bounds and fitting the type.
std::optional<RecordHeader> decode_record_header(std::string_view bytes, const RecordSeed& seed);

// From the header's first byte to the next record's. Cannot overflow for a decoded header. `content_in_log`
// is 0 for a large body.
std::uint64_t record_length(std::uint64_t head_length, std::uint64_t content_in_log);
std::uint64_t record_length(const RecordHeader& header);
// The header with the lengths and checksums of `head` and `content`; `content` is empty if it is in large/.
RecordHeader sealed(RecordHeader header, std::string_view head, std::string_view content,
                    const RecordSeed& seed);
// The whole record as it stands on the disk; the committer writes the same from its pieces.
std::string encode_record(RecordHeader header, std::string_view head, std::string_view content,
                          const RecordSeed& seed);

// The parts of a record in `bytes`, which begin with its header and hold at least record_length(); views into
// it.
struct RecordParts {
  std::string_view head;
  std::string_view content;
};
RecordParts split_record(const RecordHeader& header, std::string_view bytes);
bool is_intact(const RecordHeader& header, const RecordParts& parts, const RecordSeed& seed);

}  // namespace hikyaku::spool
