// SPDX-License-Identifier: MIT
// What commands try out over the network: a smarthost that nobody has configured yet, those that are configured, and
// a test mail through the running daemon. `hikyaku setup` does all three. They block, and print what they see.
#pragma once

#include <string>

#include "daemon/base/exit.h"
#include "daemon/config/load.h"
#include "daemon/config/settings.h"
#include "daemon/setup/target.h"
#include "daemon/system/loading.h"

namespace hikyaku::commands {

// What `hikyaku probe` finds, of the standpoint of this configuration. The error has what was found, and what to do
// instead.
Result<setup::FoundServer, std::string> probe_for_setup(const std::string& config_file,
                                                        const std::string& host);

struct CheckOptions {
  std::string config = config::kDefaultConfig;
  std::string name{};     // of a smarthost; empty: all
  std::string send_to{};  // an address; empty: no mail is sent
  bool json = false;
};
// `hikyaku check`. Returns ok only if mail can be sent through each of them; attention if not; usage, configuration. As
// root the process becomes the daemon's user, for good, and a name service that hangs ends it at the end: a caller that
// has more to do runs this in a child.
Exit run_check(const CheckOptions& options, const system::LoadCalls& calls = {});

// Sends a test mail over the daemon's socket, and prints what becomes of it. Whether the smarthost has accepted it
// within a minute.
bool send_test_mail(const config::Settings& settings, const std::string& recipient);

}  // namespace hikyaku::commands
