// SPDX-License-Identifier: MIT
// Settings as the shortest file that means them: what is as by default is left out. For files that a program
// writes for people to go on with. Pure; shows no password, because the settings' credentials are not in the file.
#pragma once

#include <string>

#include "daemon/config/settings.h"

namespace hikyaku::config {

// Read back with load_text() it gives the same settings, but for names that were empty.
std::string minimal_yaml(const Settings& settings);

}  // namespace hikyaku::config
