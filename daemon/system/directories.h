// SPDX-License-Identifier: MIT
// The two directories that the daemon lives in, made before it gives up root. No symbolic link is followed
// and no path is trusted twice: what is handed to the user is the very directory that was looked at.
#pragma once

#include <optional>
#include <string>

#include "daemon/base/exit.h"
#include "daemon/system/privileges.h"

namespace hikyaku::system {

// The directory exists (the one above it must) and belongs to the daemon: to `account`, or where there is
// none, to whom we are. One that is root's and empty, fresh from mkdir or a volume, is handed over; one that
// has something in it is not ours to take. Errors: cannot_create.
Result<void, StartError> prepare_spool_directory(const std::string& path,
                                                 const std::optional<Account>& account);

// The directory exists; a new one belongs to the daemon, and so does one that is root's, empty and closed to
// other writers. Any other stays as it is. Errors: cannot_create.
Result<void, StartError> prepare_runtime_directory(const std::string& path,
                                                   const std::optional<Account>& account);

// The daemon's own sockets have fixed names in `runtime_directory`.
inline std::string submit_socket_in(const std::string& runtime) { return runtime + "/submit.sock"; }
inline std::string control_socket_in(const std::string& runtime) { return runtime + "/control.sock"; }

}  // namespace hikyaku::system
