// SPDX-License-Identifier: MIT
// The queue as it stands in the log at one moment, without its envelopes: an index as the daemon's own, and
// what was seen of each segment. Taken while a daemon may be writing: a segment that was reused meanwhile
// makes it begin again. Blocking; any thread.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "spool/index.h"
#include "spool/view_log.h"
#include "spool/view_segment.h"

namespace hikyaku::spool {

struct SeenRecords {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
  bool has_footer = false;
  std::vector<Hole> damage;
};

struct Picture {
  SeenLog log;
  std::vector<SeenRecords> records;  // of each of log.in_use
  Index index;
  // Where the state of the mail asked for was written down, oldest first: PROGRESS, or a copied MESSAGE.
  std::vector<std::pair<RecordType, Place>> history;
};

// With `only`, of that mail alone, and with its history. Memory: about 100 bytes a mail, and the records of
// one segment at a time.
Result<Picture, ViewError> take_picture(Disk& disk, std::optional<mail::MailId> only);

}  // namespace hikyaku::spool
