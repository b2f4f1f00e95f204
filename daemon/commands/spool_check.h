// SPDX-License-Identifier: MIT
// `hikyaku spool check`: reports what the spool holds and whether it is intact. Reads every live mail, head
// and content, and verifies its checksums; changes nothing. Blocks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "spool/postgresql/database_view.h"
#include "spool/view.h"

namespace hikyaku::commands {

struct CheckReport {
  std::vector<spool::SegmentStatistics> segments;
  std::uint64_t spare_segments = 0;
  std::uint64_t mails = 0;
  std::uint64_t named_bodies = 0;    // files in large/ that belong to a mail, intact or damaged
  std::uint64_t unnamed_bodies = 0;  // being written, or left by a crash and removed at the next start
  std::uint64_t missing_bodies = 0;
  std::uint64_t damaged_bodies = 0;
  std::vector<std::string> damage;              // one line each
  std::optional<std::uint64_t> shared_bytes{};  // of all mail in a database, which has no files

  std::uint64_t live_bytes() const;  // of records; of a database, of contents
  std::uint64_t dead_bytes() const;
  std::uint64_t log_bytes() const;  // of all files in use
};

Result<CheckReport, spool::ViewError> check_spool(spool::Disk& disk);
Result<CheckReport, spool::ViewError> check_shared(postgresql::DatabaseView& view);

// Several lines, each with its line end.
std::string to_text(const CheckReport& report);
// One JSON object on one line, without a line end.
std::string to_json(const CheckReport& report);

}  // namespace hikyaku::commands
