// SPDX-License-Identifier: MIT
// Reads single records back from the log, and verifies position, id, type and every checksum. Blocking: pool
// only.
#pragma once

#include <string>

#include "daemon/mail/mail_source.h"
#include "spool/disk.h"
#include "spool/index.h"
#include "spool/large_body.h"
#include "spool/record.h"

namespace hikyaku::spool {

struct StoredAt {
  Place place;
  std::uint64_t seed = 0;  // the segment's
  mail::MailId id;
  RecordType type = RecordType::message;
};

struct StoredHead {
  RecordHeader header;
  std::string head;
};
Result<StoredHead, mail::SourceError> read_head(Disk& disk, const StoredAt& at);
// Of a MESSAGE that has its content in the log.
Result<std::string, mail::SourceError> read_content(Disk& disk, const StoredAt& at, std::uint64_t length);
// The same from a segment's file that the caller keeps open, whatever its name is by now.
Result<StoredHead, mail::SourceError> read_head(DiskFile& file, const StoredAt& at);
Result<std::string, mail::SourceError> read_content(DiskFile& file, const StoredAt& at, std::uint64_t length);

// Where its content begins, for reading it in pieces.
ContentPlace content_place(const StoredAt& at, const RecordHeader& header);

mail::SourceError to_source_error(const DiskError& error);

}  // namespace hikyaku::spool
