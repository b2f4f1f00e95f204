// SPDX-License-Identifier: MIT
#include "spool/segment.h"

#include <algorithm>
#include <cstring>

#include "daemon/base/checksum.h"
#include "daemon/base/error.h"
#include "daemon/base/text.h"
#include "spool/codec.h"
#include "spool/faults.h"

namespace hikyaku::spool {
namespace {

constexpr std::string_view kMagic = "HIKYALOG";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kSigned = kSegmentHeader - 8;
constexpr std::uint16_t kEntryLarge = 1;
constexpr std::uint16_t kEntryHeld = 2;
constexpr std::uint16_t kEntryFolded = 4;
// Where a record's seeds (RecordSeed) end in the bits 000, 001 and 010.
constexpr std::uint64_t kTrailerSeed = 5;
constexpr std::uint64_t kEntriesSeed = 6;

template <std::size_t N>
std::string_view view(const std::array<std::uint8_t, N>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), N};
}

template <std::size_t N>
void copy_to(std::array<std::uint8_t, N>& to, std::string_view bytes) {
  if (bytes.size() == N) std::memcpy(to.data(), bytes.data(), N);
}

bool is_possible(const SegmentHeader& header, std::uint32_t state) {
  bool size_fits =
      header.size >= kMinSegment.bytes && header.size <= kMaxSegment.bytes && header.size % kBlock == 0;
  return size_fits && state >= 1 && state <= 3 && header.number != 0;
}

SegmentHeader decode_fields(Decoder& in, std::uint32_t state) {
  SegmentHeader header;
  header.state = static_cast<SegmentState>(state);
  header.number = in.u64();
  copy_to(header.key, in.raw(header.key.size()));
  header.size = in.u64();
  copy_to(header.spool, in.raw(header.spool.size()));
  header.highest_id = {in.u64()};
  header.oldest = in.u64();
  header.created = WallTime(Duration(in.i64()));
  std::size_t closed = std::min<std::size_t>(in.u32(), kMaxClosed);
  in.u32();
  for (std::size_t i = 0; i < closed; ++i) {
    ClosedSegment& known = header.closed.emplace_back();
    known.number = in.u64();
    known.valid_length = in.u64();
    known.flushed = in.u64();
  }
  return header;
}

void encode_entry(Encoder& out, const FooterEntry& entry) {
  auto flags = static_cast<std::uint16_t>((entry.large ? kEntryLarge : 0) | (entry.held ? kEntryHeld : 0) |
                                          (entry.folded ? kEntryFolded : 0));
  out.u64(entry.id.value).u32(entry.offset).u32(entry.head_length).u64(entry.content_length);
  out.i64(entry.next_wait.count()).u16(static_cast<std::uint16_t>(entry.type)).u16(flags).u32(0);
}

FooterEntry decode_entry(Decoder& in) {
  FooterEntry entry;
  entry.id = {in.u64()};
  entry.offset = in.u32();
  entry.head_length = in.u32();
  entry.content_length = in.u64();
  entry.next_wait = Duration(in.i64());
  entry.type = static_cast<RecordType>(in.u16());
  std::uint16_t flags = in.u16();
  entry.large = (flags & kEntryLarge) != 0;
  entry.held = (flags & kEntryHeld) != 0;
  entry.folded = (flags & kEntryFolded) != 0;
  in.u32();
  return entry;
}

std::string hex(SegmentNumber number) {
  std::string digits(16, '0');
  for (std::size_t i = 16; i-- > 0; number >>= 4) digits[i] = "0123456789abcdef"[number & 15];
  return digits;
}

std::string_view last_bytes(std::string_view bytes, std::size_t many) {
  return bytes.substr(bytes.size() - many);
}

}  // namespace

std::string encode_segment_header(const SegmentHeader& header) {
  check(header.closed.size() <= kMaxClosed, "a segment header has room for sixteen predecessors");
  Encoder out;
  out.raw(kMagic).u32(kVersion).u32(static_cast<std::uint32_t>(header.state));
  out.u64(header.number).raw(view(header.key)).u64(header.size).raw(view(header.spool));
  out.u64(header.highest_id.value).u64(header.oldest).i64(header.created.time_since_epoch().count());
  out.u32(static_cast<std::uint32_t>(header.closed.size())).u32(0);
  for (const ClosedSegment& closed : header.closed)
    out.u64(closed.number).u64(closed.valid_length).u64(closed.flushed);
  out.pad_to(kSigned);
  out.u64(checksum(out.bytes(), 0));
  return out.take();
}

DecodedHeader decode_segment_header(std::string_view bytes) {
  if (bytes.size() < kSegmentHeader) return {};
  Decoder in(bytes);
  if (in.raw(kMagic.size()) != kMagic) return {};
  Decoder signature(bytes.substr(kSigned));
  if (signature.u64() != checksum(bytes.substr(0, kSigned), 0)) return {};
  if (in.u32() != kVersion) return {HeaderVerdict::later_format, {}};
  std::uint32_t state = in.u32();
  SegmentHeader header = decode_fields(in, state);
  if (!is_possible(header, state)) return {};
  return {HeaderVerdict::ok, std::move(header)};
}

std::uint64_t segment_seed(const SegmentHeader& header) {
  if (is_injected(Fault::checksum_without_key)) return 0;
  return checksum(view(header.key), header.number);
}

std::size_t head_limit(std::uint64_t segment_size) {
  return std::min<std::uint64_t>(kMaxHead, segment_size / 2);
}

std::size_t content_limit(std::uint64_t segment_size) {
  return std::min<std::uint64_t>(kMaxContent, segment_size / 4);
}

std::string encode_footer(const Footer& footer, std::uint64_t seed) {
  Encoder out;
  out.reserve(footer.entries.size() * kFooterEntry + kFooterTrailer);
  for (const FooterEntry& entry : footer.entries) encode_entry(out, entry);
  Encoder trailer;
  trailer.u64(footer.entries.size()).u64(footer.valid_length).i64(footer.newest.time_since_epoch().count());
  trailer.u64(footer.highest_id.value)
      .u64(checksum(out.bytes(), seed ^ kEntriesSeed))
      .pad_to(kFooterTrailer - 8);
  out.raw(trailer.bytes()).u64(checksum(trailer.bytes(), seed ^ kTrailerSeed));
  return out.take();
}

std::optional<std::uint64_t> decode_footer_count(std::string_view trailer, std::uint64_t segment_size,
                                                 std::uint64_t seed) {
  if (trailer.size() != kFooterTrailer) return std::nullopt;
  Decoder signature(last_bytes(trailer, 8));
  bool is_signed = signature.u64() == checksum(trailer.substr(0, kFooterTrailer - 8), seed ^ kTrailerSeed);
  if (!is_signed && !is_injected(Fault::footer_without_checksum)) return std::nullopt;
  std::uint64_t count = Decoder(trailer).u64();
  if (count > segment_size / kFooterEntry) return std::nullopt;
  return count;
}

std::optional<Footer> decode_footer(std::string_view bytes, std::uint64_t segment_size, std::uint64_t seed) {
  if (bytes.size() < kFooterTrailer) return std::nullopt;
  std::string_view trailer = last_bytes(bytes, kFooterTrailer);
  auto count = decode_footer_count(trailer, segment_size, seed);
  if (!count || bytes.size() != *count * kFooterEntry + kFooterTrailer) return std::nullopt;
  Decoder in(trailer.substr(8));
  Footer footer;
  footer.valid_length = in.u64();
  footer.newest = WallTime(Duration(in.i64()));
  footer.highest_id = {in.u64()};
  std::string_view entries = bytes.substr(0, bytes.size() - kFooterTrailer);
  bool is_signed = in.u64() == checksum(entries, seed ^ kEntriesSeed);
  if (!is_signed && !is_injected(Fault::footer_without_checksum)) return std::nullopt;
  Decoder list(entries);
  footer.entries.reserve(*count);
  for (std::uint64_t i = 0; i < *count; ++i) footer.entries.push_back(decode_entry(list));
  return footer;
}

std::string segment_path(SegmentNumber number) { return cat("log/", hex(number)); }
std::string preparing_path(SegmentNumber number) { return cat("log/", hex(number), ".new"); }

}  // namespace hikyaku::spool
