// SPDX-License-Identifier: MIT
// A command's standard output, buffered, and its errors. To programs it is unchanged; on a terminal, lines for people
// are folded to its width. If the reader of a pipe goes away, the rest of the output is dropped silently. Blocks.
#pragma once

#include <cstdint>
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
  // Whole lines for people: as folded() does it on a terminal, else as print(). Not for what is to be pasted or parsed.
  bool print_lines(std::string_view lines, std::optional<std::size_t> hang = std::nullopt);
  // Writes what has been printed so far: somebody may be waiting for it.
  void flush() { write_out(); }
  // Writes the rest and returns `result`, or io if something could not be written. Reports the cause on
  // standard error, except if the reader has gone away.
  Exit finish(Exit result, std::string_view command);

 private:
  void write_out();

  int fd_;
  std::optional<std::size_t> width_;
  int error_ = 0;  // errno of the first failure
  std::string waiting_;
};

// All that a command says, on standard output, and its exit code: io if it could not be written. For people it is
// print_lines(), for programs, or to be pasted, print().
enum class Reader : std::uint8_t { people, programs };
Exit print_all(std::string_view command, std::string_view text, Reader reader, Exit exit = Exit::ok);

// The width of the terminal that this is, in columns, or $COLUMNS; nullopt: it is none, whatever $COLUMNS says.
std::optional<std::size_t> terminal_width(int fd = 1);

// Whether standard output may have escape sequences: it is a terminal, none that is "dumb" by $TERM, and $NO_COLOR is not
// set (no-color.org) or empty.
bool may_use_bold();
// Whether a line on `fd` may be written over: it is a terminal that is not "dumb".
bool may_rewrite_lines(int fd);

// Prints each line of the error on standard error as "COMMAND: LINE" and returns its exit code.
Exit report(std::string_view command, const StartError& error);
// Prints DaemonPaths::note in the same way, unless it is empty.
void report_note(std::string_view command, const std::string& note);

}  // namespace hikyaku::commands
