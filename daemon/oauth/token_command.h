// SPDX-License-Identifier: MIT
// The only program that the daemon ever starts (SECURITY.md, O5): that of `flow: command`, which prints a token. No
// shell: the list is the program's path and its arguments. It gets an empty environment but for PATH, no open file of
// ours, nothing on its standard input, and what it says on standard error goes nowhere; after the limit it is killed
// with all that it has started. Of what it prints 64 KiB are read. Blocks. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/error.h"
#include "daemon/base/secret.h"

namespace hikyaku::oauth {

inline constexpr Duration kCommandTimeout = 20s;

// What it printed. The error says how it failed, and repeats nothing of what it printed.
Result<Secret, std::string> run_token_command(const std::vector<std::string>& command,
                                              Duration limit = kCommandTimeout);

}  // namespace hikyaku::oauth
