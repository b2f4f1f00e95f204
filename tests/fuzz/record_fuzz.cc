// SPDX-License-Identifier: MIT
// Everything of the spool that is decoded: record headers, heads, segment headers, footers. Whatever is
// accepted is what the encoder writes. The bytes are tried as they are and, since no input would ever find a
// checksum, with the right ones put in.
#include <algorithm>
#include <string>

#include "daemon/base/checksum.h"
#include "daemon/mail/common_reason.h"
#include "spool/codec.h"
#include "spool/damage.h"
#include "spool/payload.h"
#include "spool/record.h"
#include "spool/segment.h"
#include "tests/fuzz/fuzz.h"

using namespace hikyaku;
using namespace hikyaku::spool;

namespace {

constexpr std::uint64_t kSegmentSeed = 0x5eed;
constexpr std::uint64_t kOffset = 4096;
constexpr std::uint64_t kSize = 64 << 10;

std::string number(std::uint64_t value) { return Encoder().u64(value).take(); }

void check_record_header(std::string_view bytes) {
  RecordSeed seed(kSegmentSeed, kOffset);
  auto header = decode_record_header(bytes, seed);
  if (!header) return;
  check(encode_record_header(*header, seed) == bytes.substr(0, kRecordHeader),
        "a header that none would write");
  std::uint64_t length = record_length(*header);
  check(length >= kRecordHeader + header->head_length && length % kRecordAlign == 0,
        "a record's length is wrong");
  check(header->large || length <= kRecordHeader + kMaxHead + kMaxContent + kRecordAlign,
        "a record is longer than any may be");
}

void check_signed_record_header(std::string_view bytes) {
  std::string header(bytes.substr(0, kRecordHeader));
  header.resize(kRecordHeader);
  RecordSeed seed(kSegmentSeed, kOffset);
  header.replace(0, 8, number(checksum(std::string_view(header).substr(8), seed.header)));
  check_record_header(header);
  check_record_header(bytes);
}

// The header of a MESSAGE that has `bytes` as its head: one wrong bit in it costs neither id nor envelope.
void check_salvage(std::string_view bytes) {
  auto head = decode_message_head(bytes);
  if (!head || bytes.empty()) return;
  RecordHeader header;
  header.type = RecordType::message;
  header.id = {bytes.size()};
  std::string record = encode_record(header, bytes, "content", RecordSeed(kSegmentSeed, kOffset));
  std::size_t bit = checksum(bytes, 0) % (kRecordHeader * 8);
  record[bit / 8] ^= static_cast<char>(1U << (bit % 8));
  auto lost = salvage(record, kSegmentSeed, kOffset);
  check(lost && lost->id.value == bytes.size() && lost->envelope == head->envelope,
        "not told of one wrong bit");
}

void check_heads(std::string_view bytes) {
  constexpr std::size_t kNoLimit = std::size_t{1} << 40;
  auto message = decode_message_head(bytes);
  if (message) check(encode_message_head(*message) == bytes, "a message's head that none would write");
  auto progress = decode_progress(bytes);
  if (progress) {
    check(encode_progress(*progress, kNoLimit) == bytes, "a progress that none would write");
    auto brief = decode_progress_brief(bytes);
    check(brief && brief->held == progress->held && brief->next_wait == progress->next_wait &&
              brief->attempts == progress->attempts &&
              brief->reason == mail::reason_code(progress->reason, progress->smarthost),
          "briefly different");
  }
  auto folded = decode_folded_head(bytes);
  if (!folded) return;
  std::string again = encode_message_head(folded->message);
  check(message_head_length(bytes) == again.size(), "the parts of a folded head are elsewhere");
  check(again + encode_progress(folded->progress, kNoLimit) == bytes, "a folded head that none would write");
}

void check_segment_header(std::string_view bytes) {
  std::string header(bytes.substr(0, kSegmentHeader - 8));
  header.resize(kSegmentHeader - 8);
  header.replace(0, 12, std::string("HIKYALOG\1\0\0\0", 12));
  header += number(checksum(header, 0));
  for (std::string_view tried : {std::string_view(header), bytes}) {
    DecodedHeader decoded = decode_segment_header(tried);
    if (decoded.verdict != HeaderVerdict::ok) continue;
    check(decoded.header.closed.size() <= kMaxClosed, "more predecessors than there is room for");
    check(decoded.header.size >= kMinSegment.bytes && decoded.header.size <= kMaxSegment.bytes, "its size");
    check(decode_segment_header(encode_segment_header(decoded.header)).header == decoded.header,
          "a segment's header does not survive");
  }
}

void check_footer(std::string_view bytes) {
  std::string entries(bytes.substr(0, bytes.size() / kFooterEntry * kFooterEntry));
  Encoder trailer;
  trailer.u64(entries.size() / kFooterEntry).u64(0).i64(0).u64(0).u64(checksum(entries, kSegmentSeed ^ 6));
  trailer.pad_to(kFooterTrailer - 8);
  std::string whole = entries + trailer.bytes() + number(checksum(trailer.bytes(), kSegmentSeed ^ 5));
  auto footer = decode_footer(whole, kSize, kSegmentSeed);
  if (footer) check(footer->entries.size() == entries.size() / kFooterEntry, "entries got lost");
  (void)decode_footer(bytes, kSize, kSegmentSeed);
  whole.back() = static_cast<char>(whole.back() ^ 1);
  check(!decode_footer(whole, kSize, kSegmentSeed), "a footer is believed without its checksum");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes = test::as_text(data, size);
  check_signed_record_header(bytes);
  check_salvage(bytes);
  check_heads(bytes);
  check_segment_header(bytes);
  check_footer(bytes);
  return 0;
}
