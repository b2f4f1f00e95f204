// SPDX-License-Identifier: MIT
// A password for a command: from a file, from standard input, or typed without echo; never from the command line,
// which every user of the machine can read. Blocks.
#pragma once

#include <string>

#include "daemon/base/exit.h"
#include "daemon/base/secret.h"
#include "daemon/system/terminal.h"

namespace hikyaku::commands {

// From `file` ("-": the terminal's input as it is, a pipe say), or else by asking `question`. A line end behind it
// is dropped. Errors: usage (it is empty, or has several lines or a NUL byte, which no server takes), no_input.
Result<Secret, StartError> get_password(system::Terminal& terminal, const std::string& file,
                                        const std::string& question);

}  // namespace hikyaku::commands
