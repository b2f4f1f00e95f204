// SPDX-License-Identifier: MIT
#include "spool/segment.h"

#include <doctest/doctest.h>

#include "daemon/base/checksum.h"
#include "spool/codec.h"

namespace hikyaku::spool {
namespace {

SegmentHeader some_header() {
  SegmentHeader header;
  header.state = SegmentState::in_use;
  header.number = 42;
  header.key.fill(7);
  header.size = 1 << 20;
  header.spool.fill(9);
  header.highest_id = {1'000'000};
  header.oldest = 40;
  header.created = WallTime(Duration(5));
  header.closed = {{40, 4096, 4096}, {41, 123'456, 98'304}};
  return header;
}

Footer some_footer() {
  Footer footer;
  footer.valid_length = 8192;
  footer.newest = WallTime(Duration(77));
  footer.highest_id = {5};
  footer.entries = {{.id = {5},
                     .offset = 4096,
                     .head_length = 10,
                     .content_length = 100,
                     .type = RecordType::message,
                     .large = true,
                     .facts = {.arrival = WallTime(99s), .written = WallTime(100s)}},
                    {.id = {5},
                     .offset = 4200,
                     .head_length = 9,
                     .next_wait = 30s,
                     .type = RecordType::progress,
                     .held = true,
                     .facts = {.written = WallTime(101s + 5us), .attempts = 3, .reason = 17}},
                    {.id = {5}, .offset = 4300, .type = RecordType::done}};
  return footer;
}

TEST_CASE("segment: a header is one sector and comes back as it was") {
  std::string bytes = encode_segment_header(some_header());
  CHECK(bytes.size() == kSegmentHeader);
  DecodedHeader decoded = decode_segment_header(bytes);
  CHECK(decoded.verdict == HeaderVerdict::ok);
  CHECK(decoded.header == some_header());
}

TEST_CASE("segment: any flipped bit or truncation of the header is noticed") {
  const std::string good = encode_segment_header(some_header());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    CHECK(decode_segment_header(bytes).verdict == HeaderVerdict::unreadable);
  }
  for (std::size_t length = 0; length < good.size(); ++length)
    CHECK(decode_segment_header(good.substr(0, length)).verdict == HeaderVerdict::unreadable);
}

TEST_CASE("segment: a later format is told apart from damage") {
  std::string bytes = encode_segment_header(some_header());
  bytes[8] = 2;
  Encoder signature;
  signature.u64(checksum(std::string_view(bytes).substr(0, kSegmentHeader - 8), 0));
  bytes.replace(kSegmentHeader - 8, 8, signature.bytes());
  CHECK(decode_segment_header(bytes).verdict == HeaderVerdict::later_format);
}

TEST_CASE("segment: a size that cannot be is unreadable") {
  for (std::uint64_t size : {0ULL, 4096ULL, 65'537ULL, 1ULL << 31, 1ULL << 63}) {
    SegmentHeader header = some_header();
    header.size = size;
    CHECK(decode_segment_header(encode_segment_header(header)).verdict == HeaderVerdict::unreadable);
  }
}

TEST_CASE("segment: key and number both change what checksums start from") {
  SegmentHeader other_key = some_header();
  other_key.key[15] = 8;
  SegmentHeader other_number = some_header();
  other_number.number = 43;
  CHECK(segment_seed(some_header()) != segment_seed(other_key));
  CHECK(segment_seed(some_header()) != segment_seed(other_number));
}

TEST_CASE("segment: a footer comes back as it was, and only under its seed") {
  std::string bytes = encode_footer(some_footer(), 11, 1 << 20);
  CHECK(bytes.size() == footer_end(1 << 20) - footer_begin(1 << 20, 3) - kFooterFacts);  // DONE has none
  CHECK(decode_footer_length(std::string_view(bytes).substr(bytes.size() - kFooterTrailer), 1 << 20, 11) ==
        bytes.size());
  CHECK(decode_footer(bytes, 1 << 20, 11) == some_footer());
  CHECK_FALSE(decode_footer(bytes, 1 << 20, 12));
}

TEST_CASE("segment: where there is no room for facts, or version 0.1 wrote it, a footer has all but these") {
  Footer without = some_footer();
  for (FooterEntry& entry : without.entries) entry.facts = {};
  std::string bytes = encode_footer(some_footer(), 11, 0);
  CHECK(bytes.size() == kFooterTrailer + 3 * kFooterEntry);
  CHECK(bytes.substr(bytes.size() - 24, 16) == std::string(16, '\0'));  // as version 0.1 has it
  CHECK(decode_footer(bytes, 1 << 20, 11) == without);
  const std::string all = encode_footer(some_footer(), 11, 1 << 20);
  CHECK(encode_footer(some_footer(), 11, all.size()) == all);
  CHECK(encode_footer(some_footer(), 11, all.size() - 1) == bytes);
  // What version 0.1 reads of a footer stands where it did.
  CHECK(all.substr(2 * kFooterFacts, 3 * kFooterEntry) == bytes.substr(0, 3 * kFooterEntry));
}

TEST_CASE("segment: any flipped bit in a footer is noticed") {
  const std::string good = encode_footer(some_footer(), 11, 1 << 20);
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    CHECK_FALSE(decode_footer(bytes, 1 << 20, 11));
  }
}

TEST_CASE("segment: the largest record fits into the smallest segment") {
  std::uint64_t size = kMinSegment.bytes;
  std::uint64_t largest = kRecordHeader + head_limit(size) + content_limit(size) + kRecordAlign;
  CHECK(records_begin() + largest <= footer_begin(size, 1));
}

TEST_CASE("segment: paths are as long as numbers can be") {
  CHECK(segment_path(42) == "log/000000000000002a");
  CHECK(segment_path(UINT64_MAX) == "log/ffffffffffffffff");
  CHECK(preparing_path(1) == "log/0000000000000001.new");
}

}  // namespace
}  // namespace hikyaku::spool
