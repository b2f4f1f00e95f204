// SPDX-License-Identifier: MIT
// The content of a large body for a reader without a lock. Blocking; any thread.
#pragma once

#include <functional>
#include <string_view>

#include "daemon/mail/mail_source.h"
#include "spool/disk.h"
#include "spool/record.h"

namespace hikyaku::spool {

// Reads it to its end and compares length and checksum with what its MESSAGE's header says, handing out each
// piece on the way; stops early, without a verdict, where `take` says so.
Result<void, mail::SourceError> read_large(DiskFile& file, const RecordHeader& message,
                                           const std::function<bool(std::string_view)>& take);

}  // namespace hikyaku::spool
