// SPDX-License-Identifier: MIT
// A report of one damaged file or record, and its line for the log: what is wrong with which file, whose mail
// it was if that is still known, what the damage means for that mail, and whether a copy was kept. Plain
// values; the line is printable whatever the bytes were.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/mail/envelope.h"
#include "daemon/mail/mail_id.h"
#include "spool/record.h"

namespace hikyaku::spool {

// What can still be read of a broken record, for the report of what was lost. Pure. Nothing is ever sent, or
// ended, because of it: only an intact record counts.

enum class BrokenPart { header, head, content };

struct LostRecord {
  RecordType type = RecordType::message;
  mail::MailId id;
  BrokenPart broken = BrokenPart::header;
  bool large = false;                      // MESSAGE whose content is in large/
  std::optional<mail::Envelope> envelope;  // of a MESSAGE with an intact head
};

// `bytes` begin where the record at `offset` did and go on as far as there is anything. A header in which one
// bit is wrong is repaired: 64 bits of checksum identify the bit. Returns nullopt if more of the header is
// wrong, or if the whole record is intact.
std::optional<LostRecord> salvage(std::string_view bytes, std::uint64_t segment_seed, std::uint64_t offset);

// Of an intact head of a MESSAGE.
std::optional<mail::Envelope> envelope_in(const RecordHeader& header, std::string_view head);

// What the damage means.
enum class Loss {
  none,      // no consequence: no clause in the line
  whatever,  // not known: mail is lost, and mail that had ended may be sent again
  mail,      // a MESSAGE: it will never be sent
  progress,  // a PROGRESS: the mail stands at an older state
  end,       // a DONE: the mail may be sent again
  nothing,   // the record was not needed any more
};

enum class Copy {
  none,  // there is nothing to copy
  made,
  failed,
};

struct DamageReport {
  std::string file;    // as the Disk names it
  std::string reason;  // what is wrong with it: "has 512 damaged bytes", "is missing"
  std::optional<LostRecord> record;
  Loss loss = Loss::none;
  Copy copy = Copy::none;  // in corrupt/
  std::string copy_error;  // why it failed
};

std::string to_line(const DamageReport& report);

}  // namespace hikyaku::spool
