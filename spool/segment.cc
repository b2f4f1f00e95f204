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
constexpr std::uint64_t kFactsSeed = 4;
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

bool has_facts(const FooterEntry& entry) { return entry.type != RecordType::done; }

void encode_facts(Encoder& out, const Facts& facts) {
  const auto arrival = std::chrono::duration_cast<std::chrono::seconds>(facts.arrival.time_since_epoch());
  out.i64(facts.written.time_since_epoch().count()).u32(static_cast<std::uint32_t>(arrival.count()));
  out.u32(facts.attempts).u32(facts.reason);
}

Facts decode_facts(Decoder& in) {
  Facts facts;
  facts.written = WallTime(Duration(in.i64()));
  facts.arrival = WallTime(std::chrono::seconds(in.u32()));
  facts.attempts = in.u32();
  facts.reason = in.u32();
  return facts;
}

std::string encode_all_facts(const std::vector<FooterEntry>& entries) {
  Encoder out;
  out.reserve(entries.size() * kFooterFacts);
  for (const FooterEntry& entry : entries)
    if (has_facts(entry)) encode_facts(out, entry.facts);
  return out.take();
}

struct Trailer {
  std::uint64_t entries = 0;
  std::uint64_t valid_length = 0;
  WallTime newest;
  mail::MailId highest_id;
  std::uint64_t entries_checksum = 0;
  std::uint64_t facts = 0;  // version 0.1 wrote 0 here and in the next one, and does not look at them
  std::uint64_t facts_checksum = 0;

  std::uint64_t length() const { return facts * kFooterFacts + entries * kFooterEntry + kFooterTrailer; }
};

std::string encode_trailer(const Trailer& trailer, std::uint64_t seed) {
  Encoder out;
  out.u64(trailer.entries).u64(trailer.valid_length).i64(trailer.newest.time_since_epoch().count());
  out.u64(trailer.highest_id.value).u64(trailer.entries_checksum);
  out.u64(trailer.facts).u64(trailer.facts_checksum).pad_to(kFooterTrailer - 8);
  const std::uint64_t signature = checksum(out.bytes(), seed ^ kTrailerSeed);
  return out.u64(signature).take();
}

std::optional<Trailer> decode_trailer(std::string_view bytes, std::uint64_t segment_size,
                                      std::uint64_t seed) {
  if (bytes.size() != kFooterTrailer) return std::nullopt;
  Decoder signature(bytes.substr(kFooterTrailer - 8));
  bool is_signed = signature.u64() == checksum(bytes.substr(0, kFooterTrailer - 8), seed ^ kTrailerSeed);
  if (!is_signed && !is_injected(Fault::footer_without_checksum)) return std::nullopt;
  Decoder in(bytes);
  Trailer trailer;
  trailer.entries = in.u64();
  trailer.valid_length = in.u64();
  trailer.newest = WallTime(Duration(in.i64()));
  trailer.highest_id = {in.u64()};
  trailer.entries_checksum = in.u64();
  trailer.facts = in.u64();
  trailer.facts_checksum = in.u64();
  const bool is_possible = trailer.entries <= segment_size / kFooterEntry && trailer.facts <= trailer.entries;
  if (!is_possible || trailer.length() > footer_end(segment_size)) return std::nullopt;
  return trailer;
}

// The checksums and so the bytes have been found right.
std::vector<FooterEntry> decode_entries(std::string_view facts, std::string_view entries,
                                        const Trailer& trailer) {
  Decoder list(entries);
  Decoder more(facts);
  std::vector<FooterEntry> all;
  all.reserve(trailer.entries);
  for (std::uint64_t i = 0; i < trailer.entries; ++i) {
    all.push_back(decode_entry(list));
    if (has_facts(all.back())) all.back().facts = decode_facts(more);
  }
  return all;
}

std::string hex(SegmentNumber number) {
  std::string digits(16, '0');
  for (std::size_t i = 16; i-- > 0; number >>= 4) digits[i] = "0123456789abcdef"[number & 15];
  return digits;
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

std::string encode_footer(const Footer& footer, std::uint64_t seed, std::uint64_t room) {
  Encoder entries;
  entries.reserve(footer.entries.size() * kFooterEntry);
  for (const FooterEntry& entry : footer.entries) encode_entry(entries, entry);
  std::string facts = encode_all_facts(footer.entries);
  if (facts.size() + entries.bytes().size() + kFooterTrailer > room) facts.clear();
  const Trailer trailer{.entries = footer.entries.size(),
                        .valid_length = footer.valid_length,
                        .newest = footer.newest,
                        .highest_id = footer.highest_id,
                        .entries_checksum = checksum(entries.bytes(), seed ^ kEntriesSeed),
                        .facts = facts.size() / kFooterFacts,
                        .facts_checksum = facts.empty() ? 0 : checksum(facts, seed ^ kFactsSeed)};
  return cat(facts, entries.bytes(), encode_trailer(trailer, seed));
}

std::optional<std::uint64_t> decode_footer_length(std::string_view trailer, std::uint64_t segment_size,
                                                  std::uint64_t seed) {
  auto decoded = decode_trailer(trailer, segment_size, seed);
  return decoded ? std::optional(decoded->length()) : std::nullopt;
}

std::optional<Footer> decode_footer(std::string_view bytes, std::uint64_t segment_size, std::uint64_t seed) {
  if (bytes.size() < kFooterTrailer) return std::nullopt;
  auto trailer = decode_trailer(bytes.substr(bytes.size() - kFooterTrailer), segment_size, seed);
  if (!trailer || bytes.size() != trailer->length()) return std::nullopt;
  std::string_view facts = bytes.substr(0, trailer->facts * kFooterFacts);
  std::string_view entries = bytes.substr(facts.size(), trailer->entries * kFooterEntry);
  const bool is_signed = trailer->entries_checksum == checksum(entries, seed ^ kEntriesSeed) &&
                         (facts.empty() ? trailer->facts_checksum == 0
                                        : trailer->facts_checksum == checksum(facts, seed ^ kFactsSeed));
  if (!is_signed && !is_injected(Fault::footer_without_checksum)) return std::nullopt;
  return Footer{trailer->valid_length, trailer->newest, trailer->highest_id,
                decode_entries(facts, entries, *trailer)};
}

std::string segment_path(SegmentNumber number) { return cat("log/", hex(number)); }
std::string preparing_path(SegmentNumber number) { return cat("log/", hex(number), ".new"); }

}  // namespace hikyaku::spool
