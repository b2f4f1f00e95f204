// SPDX-License-Identifier: MIT
// A record before it has a place in the log. A plain value, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"
#include "daemon/mail/mail_id.h"
#include "spool/record.h"
#include "spool/ring_policy.h"

namespace hikyaku::spool {

struct NewRecord {
  RecordType type = RecordType::done;
  RecordUse use = RecordUse::bookkeeping;
  mail::MailId id;
  std::string head;
  std::string_view content;            // lives until the append returns; empty for a large body
  bool large = false;                  // MESSAGE
  bool folded = false;                 // MESSAGE
  std::uint64_t content_length = 0;    // of a large body
  std::uint64_t content_checksum = 0;  // of a large body
  std::optional<WallTime> wall;        // of a copy: when what it says was written first; else now
};

// Its header, but for what its place adds.
inline RecordHeader unplaced_header(const NewRecord& record) {
  RecordHeader header;
  header.type = record.type;
  header.id = record.id;
  header.large = record.large;
  header.folded = record.folded;
  header.head_length = static_cast<std::uint32_t>(record.head.size());
  header.content_length = record.large ? record.content_length : record.content.size();
  header.content_checksum = record.content_checksum;
  return header;
}

}  // namespace hikyaku::spool
