// SPDX-License-Identifier: MIT
// What the two directions of `hikyaku spool move` have in common: the directory's spool, locked and open; the mark that
// says what is under way; and how the database is asked. Every error says that the same command is to be run again, which
// goes on where this one has stopped. Blocks.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/base/exit.h"
#include "daemon/system/move_mark.h"
#include "spool/postgresql/blocking_database.h"
#include "spool/spool.h"

namespace hikyaku::commands {

std::unexpected<StartError> cut_short(std::string_view why);

// What the last statement returns.
Result<postgresql::Rows, StartError> ask(postgresql::BlockingDatabase& database,
                                         postgresql::Statements statements);

// The spool in a directory, locked.
class LocalPlace {
 public:
  // Errors: unavailable if a daemon runs on it, no_input, io.
  static Result<std::unique_ptr<LocalPlace>, StartError> open(const std::string& directory);
  ~LocalPlace();
  LocalPlace(const LocalPlace&) = delete;

  template <class T>
  T run(Task<T> task) {
    return loop_.run(std::move(task));
  }
  spool::Spool& spool() { return *spool_; }

 private:
  LocalPlace() = default;

  SystemClock clock_;
  io::Loop loop_{clock_};
  std::unique_ptr<spool::Disk> disk_;
  std::unique_ptr<spool::Spool> spool_;
};

// What the mark says, in its first line: the move's direction, a name of it, and the database.
struct Move {
  system::MoveMark mark;
  std::string name;
};
using MakeName = std::function<Result<std::string, StartError>()>;
// Goes on with a move that did not come to its end, or begins one. Another move must be ended first: unavailable.
Result<Move, StartError> begin_move(const std::string& directory, std::string_view direction,
                                    const std::string& shown, const MakeName& make_name);

}  // namespace hikyaku::commands
