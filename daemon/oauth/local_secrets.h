// SPDX-License-Identifier: MIT
// What this machine itself brings along for a token: files that hold a client secret or a key, and the
// program of `flow: command`. Both are read when they are needed, and wiped after that. A file that others
// may read is refused, as authinfo is: whoever can read it can send with the account. Those below
// $CREDENTIALS_DIRECTORY are the service manager's, which sees to that itself. Blocks. Thread-safe.
#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/error.h"
#include "daemon/base/secret.h"

namespace hikyaku::oauth {

// Without the line end at its end. The error is what to put behind the file's name.
Result<Secret, std::string> read_secret_file(const std::string& path);
// What anybody may know, such as a certificate.
Result<std::string, std::string> read_public_file(const std::string& path);

// What is wrong with who may read or write it; empty if nothing is.
std::string objection_to(const struct stat& status, uid_t our_uid, gid_t our_gid);

// The only program that the daemon ever starts (SECURITY.md, O5). No shell: the list is the program's path
// and its arguments. It gets an empty environment but for PATH, no open file of ours, nothing on its standard
// input, and what it says on standard error goes nowhere; after the limit it is killed with all that it has
// started. Of what it prints 64 KiB are read.

inline constexpr Duration kCommandTimeout = 20s;

// What it printed. The error says how it failed, and repeats nothing of what it printed.
Result<Secret, std::string> run_token_command(const std::vector<std::string>& command,
                                              Duration limit = kCommandTimeout);

}  // namespace hikyaku::oauth
