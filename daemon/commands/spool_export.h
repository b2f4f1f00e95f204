// SPDX-License-Identifier: MIT
// `hikyaku spool export`: every queued message as a file that any mail program reads, with its envelope
// beside it, for the day someone must leave. The spool is only read. Blocks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/base/exit.h"
#include "spool/view.h"

namespace hikyaku::commands {

struct ExportReport {
  std::uint64_t exported = 0;
  std::vector<std::string> left_out;  // a line for each mail that is damaged or cannot be read
};

// ID.eml and ID.json, 0600, into `directory`, which is made, 0700, where it is missing. A file that is there
// already stays as it is and ends the export; what was exported before it is complete, and on stable storage.
Result<ExportReport, StartError> export_mails(spool::View& view, const std::string& directory);

}  // namespace hikyaku::commands
