// SPDX-License-Identifier: MIT
// What can still be told of a record that is broken, for the report of what was lost. Pure. Nothing is ever
// sent, or ended, on its word: only an intact record counts.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "daemon/mail/envelope.h"
#include "daemon/mail/mail_id.h"
#include "spool/record.h"

namespace hikyaku::spool {

enum class BrokenPart { header, head, content };

struct LostRecord {
  RecordType type = RecordType::message;
  mail::MailId id;
  BrokenPart broken = BrokenPart::header;
  bool large = false;                      // MESSAGE whose content is in large/
  std::optional<mail::Envelope> envelope;  // of a MESSAGE with an intact head
};

// `bytes` begin where the record at `offset` did and go on as far as there is anything. A header in which one
// bit is wrong is understood: with 64 bits of checksum the bit can be told. Nothing if the header is worse
// off, or if the whole record is intact.
std::optional<LostRecord> salvage(std::string_view bytes, std::uint64_t segment_seed, std::uint64_t offset);

// Of an intact head of a MESSAGE.
std::optional<mail::Envelope> envelope_in(const RecordHeader& header, std::string_view head);

}  // namespace hikyaku::spool
