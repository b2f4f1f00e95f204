// SPDX-License-Identifier: MIT
// What a command prints, in large pieces, as it is. Its reader may be a pipe and may leave: then nothing more
// is written and nothing is said about it. Blocking.
#pragma once

#include <string>
#include <string_view>

#include "daemon/base/exit.h"

namespace hikyaku::commands {

class Output {
 public:
  // Does not own the descriptor. From here on a pipe without a reader is an error and no signal.
  explicit Output(int fd);
  Output(const Output&) = delete;

  // False: what is printed no longer arrives, so whoever has much to say may stop.
  bool print(std::string_view text);
  // At the end: `result`, or io where not everything arrived. Any cause but a reader who left goes to
  // standard error, in the name of `command`.
  Exit finish(Exit result, std::string_view command);

 private:
  void write_out();

  int fd_;
  int error_ = 0;  // errno of the first failure
  std::string waiting_;
};

// Prints each line of the error on standard error as "COMMAND: LINE" and returns its exit code.
Exit report(std::string_view command, const StartError& error);
// Prints DaemonPaths::note in the same way, unless it is empty.
void report_note(std::string_view command, const std::string& note);

}  // namespace hikyaku::commands
