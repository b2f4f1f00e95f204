// SPDX-License-Identifier: MIT
// A command's standard output, buffered and unchanged, and its errors. If the reader of a pipe goes away, the
// rest of the output is dropped silently. Blocks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/exit.h"

namespace hikyaku::commands {

class Output {
 public:
  // Does not own the descriptor. Ignores SIGPIPE in the whole process: a pipe without a reader becomes an
  // error.
  explicit Output(int fd);
  Output(const Output&) = delete;

  // Returns false once output can no longer be written; the caller may then stop early.
  bool print(std::string_view text);
  // Writes the rest and returns `result`, or io if something could not be written. Reports the cause on
  // standard error, except if the reader has gone away.
  Exit finish(Exit result, std::string_view command);

 private:
  void write_out();

  int fd_;
  int error_ = 0;  // errno of the first failure
  std::string waiting_;
};

// The width of the terminal that standard output is, in characters; nullopt: it is none.
std::optional<std::size_t> terminal_width();

// Whether standard output may have escape sequences: it is a terminal, and $NO_COLOR is not set (no-color.org) or empty.
bool may_use_bold();

// Prints each line of the error on standard error as "COMMAND: LINE" and returns its exit code.
Exit report(std::string_view command, const StartError& error);
// Prints DaemonPaths::note in the same way, unless it is empty.
void report_note(std::string_view command, const std::string& note);

}  // namespace hikyaku::commands
