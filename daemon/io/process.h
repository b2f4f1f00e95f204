// SPDX-License-Identifier: MIT
// A child process: its output as lines, its end as a value. For `hikyaku demo` and tests; the daemon itself
// never starts a program. A child that still runs when its Process is destroyed is killed. The loop's thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/io/line_reader.h"
#include "daemon/io/loop.h"

namespace hikyaku::io {

struct ProcessOptions {
  std::vector<std::string> command;      // a program's path, then its arguments; no shell
  std::vector<std::string> environment;  // "NAME=value", beside ours
  std::string input;                     // the file that is its standard input; empty: none
};

class Process {
 public:
  // Standard output and error come as one. Errors: system (no such program, or input).
  static Result<std::unique_ptr<Process>, IoError> start(Loop& loop, const ProcessOptions& options);
  Process(const Process&) = delete;
  ~Process();

  // The next line of its output. Errors: eof when no more comes, timeout, cancelled; too_long beyond 64
  // KiB.
  Task<Result<std::string, IoError>> line(Until until);
  // Does nothing if the process has ended.
  void signal(int number);
  // Waits for the end and returns the exit code as a shell does: 128 plus the signal's number if a signal
  // ended the process. Errors: timeout, cancelled.
  Task<Result<int, IoError>> exit_code(Until until);

 private:
  struct Child;
  Process(Child* child, StreamPtr output);

  Child* child_;  // deletes itself once libuv has closed it
  StreamPtr output_;
  LineReader reader_;
};

}  // namespace hikyaku::io
