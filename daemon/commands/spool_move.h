// SPDX-License-Identifier: MIT
// `hikyaku spool move`: a whole queue from a directory into the database of a shared spool, or back. Each mail is durable
// at its new place before it leaves the old one. What is under way is written down in the directory (`moving`): after a
// crash a second run finds out, for each mail, whether it has arrived, and ends the move; until then no daemon starts
// with that directory, which could send what has left it already. Blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "daemon/base/exit.h"
#include "spool/postgresql/database_view.h"

namespace hikyaku::commands {

struct MoveReport {
  std::uint64_t moved = 0;
  std::uint64_t moved_before = 0;   // by a run that did not come to its end
  std::vector<std::string> left{};  // a line for each mail that could not be moved, and stays where it is
  std::string why_not_all{};        // a sentence, if there is more to move later; empty: that was all
};

// Hears of each mail that has moved: its id there and its new one.
using OnMoved = std::function<void(mail::MailId, mail::MailId)>;

// Errors: unavailable if a daemon runs on the directory, or a node of the shared spool is alive (into a directory).
Result<MoveReport, StartError> move_into_database(const std::string& directory,
                                                  const postgresql::SharedPlace& fleet,
                                                  const OnMoved& on_moved);
Result<MoveReport, StartError> move_into_directory(const postgresql::SharedPlace& fleet,
                                                   const std::string& directory, const OnMoved& on_moved);

}  // namespace hikyaku::commands
