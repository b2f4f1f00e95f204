// SPDX-License-Identifier: MIT
// `hikyakud --check`: all that can be known to be wrong before a start, or what there is in a few lines.
// Changes nothing, connects to nobody. Blocks.
#pragma once

#include <functional>
#include <string>

#include "daemon/base/exit.h"
#include "daemon/config/warnings.h"
#include "daemon/mail/smarthost.h"
#include "daemon/system/privileges.h"

namespace hikyaku::app {

// What a check does as root; tests have something else done.
struct CheckCalls {
  system::FindAccount find = system::find_account;
  std::function<Result<void, StartError>(const system::Account&)> become =
      [](const system::Account& account) { return system::become(account); };
};

// Problems go to standard error, one a line, what was found to standard output, warnings included. As root it
// becomes the daemon's user for good and looks with that user's eyes, so that what only root can read is a
// problem.
Exit check_everything(const std::string& config_file, const CheckCalls& calls = {});

// "main: smtp.example.com port 587, STARTTLS required, logs in as me@example.com (/etc/hikyaku/authinfo:3)".
std::string describe(const mail::Smarthost& smarthost);

}  // namespace hikyaku::app
