// SPDX-License-Identifier: MIT
// The queue as it stands in the log at one moment, without its envelopes: an index as the daemon's own, and
// what was seen of each segment. Taken while a daemon may be writing: a segment that was reused meanwhile
// makes it begin again. Blocking; any thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/mail/mail_source.h"
#include "spool/disk.h"
#include "spool/found_segments.h"
#include "spool/index.h"
#include "spool/record.h"
#include "spool/scan.h"

namespace hikyaku::spool {

// log/ as a reader without a lock sees it: which segments were in use at one moment, and whether a segment is
// unchanged. A segment is identified by its header, never by its name: number, key and state together never
// recur once they have changed. Never writes or creates a file. Blocking; any thread.

enum class ViewErrorKind {
  missing,          // there is no spool
  not_permitted,    // it is not ours to read
  read_failed,      // EIO and the like
  later_format,     // written by a later version of hikyaku
  always_changing,  // segments were reused again and again while they were read
  away,             // the spool is a database, and that cannot be asked: the text says all of it
};
using ViewError = Error<ViewErrorKind>;

struct SeenLog {
  std::vector<FoundSegment> in_use;    // by number
  std::vector<FoundSegment> spare;     // free, or prepared for what comes next: no mail is in them
  std::vector<Alien> aliens;           // files that are no part of the spool
  std::vector<SegmentNumber> missing;  // known from others' headers, neither reclaimed nor among the aliens
};

// All of it as it was at one moment.
Result<SeenLog, ViewError> look_at_log(Disk& disk);
// False also if the segment cannot be read.
bool is_unchanged(Disk& disk, const FoundSegment& segment);
// What later headers say of segments that were closed.
std::map<SegmentNumber, ClosedSegment> closed_segments(const SeenLog& log);

ViewError to_view_error(const DiskError& error);

// The records of one segment as a reader without a lock finds them: from its footer, or, where it has none,
// by a scan while a daemon may be writing. Never writes. Blocking; any thread.

struct SegmentRecords {
  std::vector<FooterEntry> records;  // by offset
  std::vector<Hole> damage;          // none is known of a segment that has a footer
  bool has_footer = false;
};

// `closed`: what a later header says of it; number 0 if none does. The error is that the file cannot be
// opened; what cannot be read in it is damage.
Result<SegmentRecords, DiskError> read_records(Disk& disk, const FoundSegment& segment,
                                               const ClosedSegment& closed);

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

// The content of a large body for a reader without a lock. Blocking; any thread.

// Reads it to its end and compares length and checksum with what its MESSAGE's header says, handing out each
// piece on the way; stops early, without a verdict, where `take` says so.
Result<void, mail::SourceError> read_large(DiskFile& file, const RecordHeader& message,
                                           const std::function<bool(std::string_view)>& take);

}  // namespace hikyaku::spool
