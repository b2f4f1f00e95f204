// SPDX-License-Identifier: MIT
// A test mail through the running daemon, from its socket to the smarthost's reply. Blocks, and prints what becomes
// of the mail.
#pragma once

#include <string>

#include "daemon/config/settings.h"

namespace hikyaku::commands {

// Whether the smarthost has accepted it within a minute.
bool send_test_mail(const config::Settings& settings, const std::string& recipient);

}  // namespace hikyaku::commands
