// SPDX-License-Identifier: MIT
#include "spool/damage.h"

#include <algorithm>
#include <string>

#include "daemon/base/checksum.h"
#include "daemon/base/text.h"
#include "spool/payload.h"

namespace hikyaku::spool {
namespace {

// All of them are in the copy; a line is for people.
constexpr std::size_t kMostRecipients = 20;

std::string bracketed(std::string_view address) { return cat("<", printable(address, 320), ">"); }

std::string parties(const mail::Envelope& envelope) {
  std::string text = cat(" from ", bracketed(envelope.sender));
  std::size_t named = std::min(envelope.recipients.size(), kMostRecipients);
  for (std::size_t i = 0; i < named; ++i)
    text += cat(i == 0 ? " to " : ", ", bracketed(envelope.recipients[i].address));
  if (named < envelope.recipients.size())
    text += cat(" and ", std::to_string(envelope.recipients.size() - named), " others");
  return text;
}

std::string whose(const DamageReport& report) {
  if (!report.record) return "a mail";
  std::string text = cat("mail ", to_text(report.record->id));
  if (report.record->envelope) text += parties(*report.record->envelope);
  return text;
}

std::string_view broken_part(const DamageReport& report) {
  if (!report.record) return "";
  switch (report.record->broken) {
    case BrokenPart::header: return " (its record is damaged)";
    case BrokenPart::head: return " (its envelope is damaged)";
    case BrokenPart::content: return " (its content is damaged)";
  }
  return "";
}

std::string meaning(const DamageReport& report) {
  switch (report.loss) {
    case Loss::none: return "";
    case Loss::whatever: return ": mail that waited there is lost, mail that ended there may be sent again";
    case Loss::mail: return cat(": ", whose(report), " is lost", broken_part(report));
    case Loss::progress:
      return cat(": ", whose(report), " stands at an older state and may reach somebody twice");
    case Loss::end: return cat(": ", whose(report), " had ended and may be sent again");
    case Loss::nothing: return cat(": nothing is lost, ", whose(report), " stands elsewhere or had ended");
  }
  return "";
}

std::string fate_of_copy(const DamageReport& report) {
  switch (report.copy) {
    case Copy::none: return "";
    case Copy::made: return "; a copy is in corrupt/";
    case Copy::failed: return cat("; no copy could be kept in corrupt/: ", printable(report.copy_error));
  }
  return "";
}

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
std::string to_line(const DamageReport& report) {
  return cat("spool damage: ", printable(report.file), " ", report.reason, meaning(report),
             fate_of_copy(report));
}

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
