// SPDX-License-Identifier: MIT
// A small spool made by hand, with every kind of record in it, and the truth about it: what each mail is, and
// which record stands where in the segment that tests damage. The same bytes in every run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/mail/progress.h"
#include "spool/payload.h"
#include "spool/record.h"
#include "spool/segment.h"
#include "tests/support/disk/memory_disk.h"

namespace hikyaku::test {

struct ImageMail {
  mail::MailId id;
  spool::MessageHead head;
  std::string content;
  bool is_large = false;
  std::vector<mail::Progress> states;  // that it went through, the newest last
  bool is_finished = false;
};

// A record of the segment that is damaged; without the zeros that fill it up.
struct ImageRecord {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  spool::RecordType type = spool::RecordType::done;
  std::size_t mail = 0;   // in SpoolImage::mails
  std::size_t state = 0;  // in its states, of a PROGRESS
};

enum class ImageKind {
  closed,    // the daemon was stopped: the segment has a footer
  killed,    // it has none, and no later header tells how far it is valid
  recycled,  // the same, in a file full of old records
};

struct SpoolImage {
  static constexpr spool::SegmentNumber kOlder = 41;  // closed
  static constexpr spool::SegmentNumber kVictim = 42;
  static constexpr spool::SegmentNumber kReady = 43;  // prepared
  static constexpr std::uint64_t kSize = 64U << 10;

  explicit SpoolImage(ImageKind kind);

  MemoryDisk disk;
  std::vector<ImageMail> mails;
  std::vector<ImageRecord> records;  // of kVictim
  std::uint64_t footer_begin = 0;    // of kVictim, had it one
};

}  // namespace hikyaku::test
