// SPDX-License-Identifier: MIT
// The two directories that the daemon lives in, made before it gives up root. No symbolic link is followed
// and no path is trusted twice: what is handed to the user is the very directory that was looked at.
#pragma once

#include <optional>
#include <string>

#include "daemon/app/exit.h"
#include "daemon/app/privileges.h"

namespace hikyaku::app {

// The directory exists (the one above it must) and belongs to the daemon: to `account`, or where there is
// none, to whom we are. One that is root's and empty, fresh from mkdir or a volume, is handed over; one that
// has something in it is not ours to take. Errors: cannot_create.
Result<void, StartError> prepare_spool_directory(const std::string& path,
                                                 const std::optional<Account>& account);

// The directory exists; a new one belongs to the daemon, and so does one that is root's, empty and closed to
// other writers. Any other stays as it is. Errors: cannot_create.
Result<void, StartError> prepare_runtime_directory(const std::string& path,
                                                   const std::optional<Account>& account);

}  // namespace hikyaku::app
