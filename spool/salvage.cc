// SPDX-License-Identifier: MIT
#include "spool/salvage.h"

#include <string>

#include "daemon/base/checksum.h"
#include "spool/payload.h"

namespace hikyaku::spool {
namespace {

std::optional<RecordHeader> header_but_for_one_bit(std::string_view bytes, const RecordSeed& seed) {
  std::string tried(bytes.substr(0, kRecordHeader));
  for (std::size_t bit = 0; bit < tried.size() * 8; ++bit) {
    auto mask = static_cast<char>(1U << (bit % 8));
    tried[bit / 8] ^= mask;
    auto header = decode_record_header(tried, seed);
    if (header) return header;
    tried[bit / 8] ^= mask;
  }
  return std::nullopt;
}

// Which part, of a record whose header is intact.
std::optional<BrokenPart> broken_part(const RecordHeader& header, std::string_view bytes,
                                      const RecordSeed& seed, bool is_head_intact) {
  if (!is_head_intact) return BrokenPart::head;
  bool is_whole = bytes.size() >= record_length(header);
  if (is_whole && is_intact(header, split_record(header, bytes), seed)) return std::nullopt;
  return BrokenPart::content;
}

}  // namespace

std::optional<mail::Envelope> envelope_in(const RecordHeader& header, std::string_view head) {
  auto length = header.folded ? message_head_length(head) : head.size();
  auto message = length ? decode_message_head(head.substr(0, *length)) : std::nullopt;
  if (!message) return std::nullopt;
  return std::move(message->envelope);
}

std::optional<LostRecord> salvage(std::string_view bytes, std::uint64_t segment_seed, std::uint64_t offset) {
  RecordSeed seed(segment_seed, offset);
  auto intact = decode_record_header(bytes, seed);
  auto header = intact ? intact : header_but_for_one_bit(bytes, seed);
  if (!header) return std::nullopt;
  std::string_view head = bytes.substr(kRecordHeader, header->head_length);
  bool is_head_intact =
      head.size() == header->head_length && checksum(head, seed.head) == header->head_checksum;
  auto broken = intact ? broken_part(*header, bytes, seed, is_head_intact) : BrokenPart::header;
  if (!broken) return std::nullopt;
  LostRecord lost{
      .type = header->type, .id = header->id, .broken = *broken, .large = header->large, .envelope = {}};
  if (is_head_intact && header->type == RecordType::message) lost.envelope = envelope_in(*header, head);
  return lost;
}

}  // namespace hikyaku::spool
