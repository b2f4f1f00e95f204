// SPDX-License-Identifier: MIT
// What `hikyaku probe` finds, as `hikyaku setup` uses it. Blocks.
#pragma once

#include <string>

#include "daemon/setup/target.h"

namespace hikyaku::commands {

// Of the standpoint of this configuration. The error has what was found, and what to do instead.
Result<setup::FoundServer, std::string> probe_for_setup(const std::string& config_file,
                                                        const std::string& host);

}  // namespace hikyaku::commands
