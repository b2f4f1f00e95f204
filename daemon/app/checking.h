// SPDX-License-Identifier: MIT
// `hikyakud --check`: all that can be known to be wrong before a start, or what there is in a few lines.
// Changes nothing, connects to nobody. Blocks.
#pragma once

#include <string>

#include "daemon/app/exit.h"
#include "daemon/mail/smarthost.h"

namespace hikyaku::app {

// Problems go to standard error, one a line, what was found to standard output.
Exit check_everything(const std::string& config_file);

// "main: smtp.example.com port 587, STARTTLS required, logs in as me@example.com (/etc/hikyaku/authinfo:3)".
std::string describe(const mail::Smarthost& smarthost);

}  // namespace hikyaku::app
