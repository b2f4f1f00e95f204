// SPDX-License-Identifier: MIT
#include "spool/record.h"

#include <doctest/doctest.h>

#include <vector>

#include "daemon/base/checksum.h"
#include "spool/codec.h"

namespace hikyaku::spool {
namespace {

const RecordSeed kSeed(0x1234'5678'9abc'def0, 4096);

RecordHeader message() {
  RecordHeader header;
  header.type = RecordType::message;
  header.id = {77};
  header.wall = WallTime(Duration(1'790'000'000'000'000));
  header.flushed = 4096;
  return header;
}

// A header with any field at will, and a checksum that holds.
struct Raw {
  std::uint16_t type = 1;
  std::uint16_t flags = 0;
  std::uint32_t head_length = 0;
  std::uint64_t content_length = 0;
  std::uint64_t id = 1;
  std::uint32_t reserved = 0;

  std::string bytes() const {
    Encoder fields;
    fields.u16(type).u16(flags).u32(head_length).u64(content_length).u64(id);
    fields.u64(0).u64(0).u64(0).u32(0).u32(reserved);
    Encoder whole;
    whole.u64(checksum(fields.bytes(), kSeed.header)).raw(fields.bytes());
    return whole.take();
  }
  bool is_taken() const { return decode_record_header(bytes(), kSeed).has_value(); }
};

TEST_CASE("record: what was encoded comes back, padded to eight bytes") {
  std::string bytes = encode_record(message(), "envelope", "content!!", kSeed);
  CHECK(bytes.size() == 64 + 8 + 9 + 7);
  auto header = decode_record_header(bytes, kSeed);
  REQUIRE(header);
  CHECK(header->id == mail::MailId{77});
  CHECK(header->wall == message().wall);
  CHECK(header->flushed == 4096);
  CHECK(record_length(*header) == bytes.size());
  RecordParts parts = split_record(*header, bytes);
  CHECK(parts.head == "envelope");
  CHECK(parts.content == "content!!");
  CHECK(is_intact(*header, parts, kSeed));
}

TEST_CASE("record: any flipped bit is noticed") {
  const std::string good = encode_record(message(), "envelope", "contents", kSeed);
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    auto header = decode_record_header(bytes, kSeed);
    CHECK_FALSE((header && is_intact(*header, split_record(*header, bytes), kSeed)));
  }
}

TEST_CASE("record: any truncation of the header is no header") {
  const std::string good = encode_record(message(), "", "", kSeed);
  for (std::size_t length = 0; length < kRecordHeader; ++length)
    CHECK_FALSE(decode_record_header(std::string_view(good).substr(0, length), kSeed));
}

TEST_CASE("record: a true record is none at another position or in another segment") {
  const std::string bytes = encode_record(message(), "envelope", "content", kSeed);
  CHECK(decode_record_header(bytes, kSeed));
  CHECK_FALSE(decode_record_header(bytes, RecordSeed(0x1234'5678'9abc'def0, 4104)));
  CHECK_FALSE(decode_record_header(bytes, RecordSeed(0x1234'5678'9abc'def1, 4096)));
}

TEST_CASE("record: impossible fields are refused even with a checksum that holds") {
  CHECK(Raw{}.is_taken());
  for (std::uint16_t type : std::vector<std::uint16_t>{0, 4, 255, 65535})
    CHECK_FALSE(Raw{.type = type}.is_taken());
  for (std::uint32_t length : {kMaxHead + 1, 1U << 31, UINT32_MAX})
    CHECK_FALSE(Raw{.head_length = length}.is_taken());
  for (unsigned long long length : {kMaxContent + 1ULL, 1ULL << 31, 1ULL << 63, ~0ULL})
    CHECK_FALSE(Raw{.content_length = length}.is_taken());
  CHECK(Raw{.flags = 1, .content_length = 1ULL << 31}.is_taken());  // in large/
  CHECK_FALSE(Raw{.flags = 1, .content_length = 1ULL << 63}.is_taken());
  CHECK(Raw{.flags = 2}.is_taken());  // a copy with progress
  CHECK_FALSE(Raw{.flags = 4}.is_taken());
  CHECK_FALSE(Raw{.id = 0}.is_taken());
  CHECK_FALSE(Raw{.reserved = 1}.is_taken());
  CHECK_FALSE(Raw{.type = 2, .content_length = 1}.is_taken());
  CHECK_FALSE(Raw{.type = 2, .flags = 1}.is_taken());
  CHECK_FALSE(Raw{.type = 2, .flags = 2}.is_taken());
  CHECK(Raw{.type = 2, .head_length = 100}.is_taken());
  CHECK_FALSE(Raw{.type = 3, .head_length = 100}.is_taken());
}

TEST_CASE("record: the largest possible lengths add up without overflow") {
  auto header =
      decode_record_header(Raw{.head_length = kMaxHead, .content_length = kMaxContent}.bytes(), kSeed);
  REQUIRE(header);
  CHECK(record_length(*header) == 64ULL + kMaxHead + kMaxContent);
}

TEST_CASE("record: of a large body only the head is in the log") {
  RecordHeader header = message();
  header.large = true;
  header.content_length = 45 << 20;
  header.content_checksum = 99;
  std::string bytes = encode_record(header, "envelope", "", kSeed);
  CHECK(bytes.size() == 72);
  auto decoded = decode_record_header(bytes, kSeed);
  REQUIRE(decoded);
  CHECK(decoded->content_length == 45 << 20);
  CHECK(decoded->content_checksum == 99);
  CHECK(is_intact(*decoded, split_record(*decoded, bytes), kSeed));
}

TEST_CASE("codec: a decoder that has run out gives nothing and says so") {
  Decoder in(std::string_view("\x05\0\0\0ab", 6));
  CHECK(in.text().empty());
  CHECK_FALSE(in.ok());
  CHECK(in.u64() == 0);
  Decoder many(std::string_view("\xff\xff\xff\xff", 4));
  CHECK(many.count(1) == 0);
  CHECK_FALSE(many.ok());
}

}  // namespace
}  // namespace hikyaku::spool
