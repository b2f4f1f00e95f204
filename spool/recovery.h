// SPDX-License-Identifier: MIT
// From the files of a spool to what the daemon works with: the index, the segments, the next numbers. Reads
// footers, scans the segments that have none, sets aside what is damaged or not ours. After it, nothing that
// it has seen can be lost in a power cut, and nothing that it has not seen can come back: that is what the
// new segment's header says (FORMAT.md, "Recovery"). Blocking; one caller, who holds the lock.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "spool/damage.h"
#include "spool/disk.h"
#include "spool/index.h"
#include "spool/options.h"
#include "spool/replay.h"
#include "spool/segment_file.h"

namespace hikyaku::spool {

struct Recovered {
  Index index;
  std::vector<DamageReport> reports;
  std::vector<Unclosed> unclosed;
  std::vector<ClosedSegment> closed;  // for the new segment's header
  std::vector<mail::MailId> unnamed;  // in large/: no mail has them
  std::vector<std::string> spares;    // files without a record that counts, to be made segments of again
  std::vector<std::string> surplus;   // more of them than there is use for, or of another size
  std::array<std::uint8_t, 16> spool{};
  SegmentNumber next_number = 1;
  mail::MailId highest_id;
  WallTime newest;             // when the last record was written; the epoch where there is no segment
  std::uint64_t unbroken = 0;  // Fault::append_to_old_segment: where the newest segment's first gap is
};

// Creates the directories where they are missing.
Result<Recovered, SpoolError> recover(Disk& disk, const SpoolOptions& options);
// What recovery leaves for the time when the new segment is durable: footers, unnamed bodies. Errors do not
// matter, the next start would do it again.
void tidy_up(Disk& disk, const Recovered& recovered);

std::string large_path(mail::MailId id);
// Where they are missing, durably.
Result<void, DiskError> make_directories(Disk& disk);

}  // namespace hikyaku::spool
