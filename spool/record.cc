// SPDX-License-Identifier: MIT
#include "spool/record.h"

#include "daemon/base/checksum.h"
#include "daemon/base/error.h"
#include "spool/codec.h"
#include "spool/faults.h"

namespace hikyaku::spool {
namespace {

constexpr std::uint16_t kRecordLarge = 1;
constexpr std::uint16_t kRecordFolded = 2;
constexpr std::size_t kChecksum = 8;
constexpr std::uint64_t kMaxLarge = 1ULL << 48;

bool is_known(std::uint16_t type) { return type >= 1 && type <= 3; }

std::uint16_t flags_of(const RecordHeader& header) {
  return static_cast<std::uint16_t>((header.large ? kRecordLarge : 0) | (header.folded ? kRecordFolded : 0));
}

// What a header that we have signed ourselves can say. A checksum that holds by chance (one in 2^64) must not
// lead anyone beyond a buffer.
bool is_possible(const RecordHeader& header, std::uint16_t flags, std::uint32_t reserved) {
  if (flags > (kRecordLarge | kRecordFolded) || reserved != 0 || header.id.value == 0 ||
      header.head_length > kMaxHead)
    return false;
  if (header.type == RecordType::message)
    return header.content_length <= (header.large ? kMaxLarge : std::uint64_t{kMaxContent});
  if (flags != 0 || header.content_length != 0) return false;
  return header.type == RecordType::progress || header.head_length == 0;
}

}  // namespace

RecordSeed::RecordSeed(std::uint64_t segment_seed, std::uint64_t offset) {
  // Positions are multiples of eight, so the three seeds of one record are no other record's.
  header = is_injected(Fault::checksum_without_key) ? 0 : segment_seed ^ offset;
  head = header ^ 1;
  content = header ^ 2;
}

std::uint64_t large_seed(mail::MailId id) { return id.value; }

std::string encode_record_header(const RecordHeader& header, const RecordSeed& seed) {
  Encoder fields;
  fields.reserve(kRecordHeader);
  fields.u16(static_cast<std::uint16_t>(header.type)).u16(flags_of(header));
  fields.u32(header.head_length).u64(header.content_length).u64(header.id.value);
  fields.i64(header.wall.time_since_epoch().count());
  fields.u64(header.head_checksum).u64(header.content_checksum).u32(header.flushed).u32(0);
  Encoder whole;
  whole.reserve(kRecordHeader);
  whole.u64(checksum(fields.bytes(), seed.header)).raw(fields.bytes());
  return whole.take();
}

std::optional<RecordHeader> decode_record_header(std::string_view bytes, const RecordSeed& seed) {
  if (bytes.size() < kRecordHeader) return std::nullopt;
  Decoder in(bytes.substr(0, kRecordHeader));
  std::uint64_t signature = in.u64();
  std::uint16_t type = in.u16();
  if (!is_known(type)) return std::nullopt;  // before the checksum: most of what a scan looks at is zeros
  if (signature != checksum(bytes.substr(kChecksum, kRecordHeader - kChecksum), seed.header))
    return std::nullopt;
  RecordHeader header;
  header.type = static_cast<RecordType>(type);
  std::uint16_t flags = in.u16();
  header.large = (flags & kRecordLarge) != 0;
  header.folded = (flags & kRecordFolded) != 0;
  header.head_length = in.u32();
  header.content_length = in.u64();
  header.id = {in.u64()};
  header.wall = WallTime(Duration(in.i64()));
  header.head_checksum = in.u64();
  header.content_checksum = in.u64();
  header.flushed = in.u32();
  if (!is_possible(header, flags, in.u32())) return std::nullopt;
  return header;
}

std::uint64_t record_length(std::uint64_t head_length, std::uint64_t content_in_log) {
  std::uint64_t length = kRecordHeader + head_length + content_in_log;
  return (length + kRecordAlign - 1) / kRecordAlign * kRecordAlign;
}

std::uint64_t record_length(const RecordHeader& header) {
  return record_length(header.head_length, header.large ? 0 : header.content_length);
}

RecordHeader sealed(RecordHeader header, std::string_view head, std::string_view content,
                    const RecordSeed& seed) {
  header.head_length = static_cast<std::uint32_t>(head.size());
  header.head_checksum = checksum(head, seed.head);
  if (header.large) return header;
  header.content_length = content.size();
  header.content_checksum = checksum(content, seed.content);
  return header;
}

std::string encode_record(RecordHeader header, std::string_view head, std::string_view content,
                          const RecordSeed& seed) {
  header = sealed(header, head, content, seed);
  std::string bytes = encode_record_header(header, seed).append(head).append(content);
  bytes.resize(record_length(header));
  return bytes;
}

RecordParts split_record(const RecordHeader& header, std::string_view bytes) {
  check(bytes.size() >= record_length(header), "a record is split with all its bytes at hand");
  std::size_t content = header.large ? 0 : static_cast<std::size_t>(header.content_length);
  return {bytes.substr(kRecordHeader, header.head_length),
          bytes.substr(kRecordHeader + header.head_length, content)};
}

bool is_intact(const RecordHeader& header, const RecordParts& parts, const RecordSeed& seed) {
  if (checksum(parts.head, seed.head) != header.head_checksum) return false;
  return header.large || checksum(parts.content, seed.content) == header.content_checksum;
}

}  // namespace hikyaku::spool
