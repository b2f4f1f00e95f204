// SPDX-License-Identifier: MIT
// `hikyaku spool check`: what the spool holds, and whether all of it is as it was written. Every live mail is
// read, head and content, and its checksums are compared; nothing is changed. Blocks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "spool/view.h"

namespace hikyaku::commands {

struct CheckReport {
  std::vector<spool::SegmentStatistics> segments;
  std::uint64_t spare_segments = 0;
  std::uint64_t mails = 0;
  std::uint64_t named_bodies = 0;    // files in large/ that a mail has, whole or damaged
  std::uint64_t unnamed_bodies = 0;  // being written, or left by a crash: the next start removes those
  std::uint64_t missing_bodies = 0;
  std::uint64_t damaged_bodies = 0;
  std::vector<std::string> damage;  // one line each

  std::uint64_t live_bytes() const;
  std::uint64_t dead_bytes() const;
  std::uint64_t log_bytes() const;  // of all files in use
};

Result<CheckReport, spool::ViewError> check_spool(spool::Disk& disk);

// Several lines with their ends; one object on one line.
std::string to_text(const CheckReport& report);
std::string to_json(const CheckReport& report);

}  // namespace hikyaku::commands
