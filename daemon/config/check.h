// SPDX-License-Identifier: MIT
// `hikyakud --check`, beyond what load.h sees: whether the files that the configuration names are there and
// can be read. Changes nothing. Does not parse certificates; daemon/app does that with the TLS library.
// Blocks.
#pragma once

#include "daemon/config/authinfo.h"
#include "daemon/config/problem.h"
#include "daemon/config/settings.h"

namespace hikyaku::config {

// Empty: all is well.
Problems check_configuration(const Settings& settings, const AuthinfoReader& reader);

}  // namespace hikyaku::config
