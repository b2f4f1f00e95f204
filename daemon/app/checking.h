// SPDX-License-Identifier: MIT
// `hikyakud --check`: reports everything that can be found wrong before a start, or else a short summary.
// Changes nothing and connects to nothing. Blocks.
#pragma once

#include <functional>
#include <string>

#include "daemon/base/exit.h"
#include "daemon/config/warnings.h"
#include "daemon/mail/smarthost.h"
#include "daemon/system/accounts.h"

namespace hikyaku::app {

// The calls of a check that need root; tests replace them.
struct CheckCalls {
  system::FindAccount find = system::find_account;
  std::function<Result<void, StartError>(const system::Account&)> become =
      [](const system::Account& account) { return system::become(account); };
};

// Prints problems to standard error, one a line, and the summary with its warnings to standard output. As
// root, the process switches to the daemon's user for good and checks as that user, so that a file that
// only root can read is a problem.
Exit check_everything(const std::string& config_file, const CheckCalls& calls = {});

// "main: smtp.example.com port 587, STARTTLS required, logs in as me@example.com (/etc/hikyaku/authinfo:3)".
std::string describe(const mail::Smarthost& smarthost);

}  // namespace hikyaku::app
