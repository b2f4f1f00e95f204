// SPDX-License-Identifier: MIT
// The drop directory, made before the daemon gives up root where the package's tmpfiles entry has not made
// it. No symbolic link is followed. Blocks.
#pragma once

#include <optional>
#include <string>

#include "daemon/system/local_users.h"
#include "daemon/system/privileges.h"

namespace hikyaku::system {

inline constexpr const char* kDropGroup = "hikyaku-submit";  // sendmail(1) is set-gid to it

using FindGroup = std::function<std::optional<gid_t>(const std::string& name)>;

// SPOOL/drop exists: 1730, of `account` (or where there is none of whom we are) and of hikyaku-submit if the
// machine has that group and we may give it away, else of the daemon's own. One that is there already stays
// as it is. Gives what the operator should know, if there is anything; mail goes on without the directory.
std::optional<std::string> prepare_drop_directory(const std::string& spool,
                                                  const std::optional<Account>& account,
                                                  const FindGroup& find = find_group);

}  // namespace hikyaku::system
