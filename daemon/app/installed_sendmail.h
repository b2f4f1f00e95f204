// SPDX-License-Identifier: MIT
// Whether the name that cron and scripts call is still our sendmail(1): a package that brings a mail server
// of its own replaces it without a word, and their mail goes there from then on. Blocks.
#pragma once

#include <optional>
#include <string>

namespace hikyaku::app {

// What the operator should know of PREFIX/sbin/sendmail. Nothing where PREFIX has no sendmail of ours: then
// hikyaku is not installed there.
std::optional<std::string> judge_installed_sendmail(const std::string& prefix);

// Where this program is installed: "/usr" for /usr/sbin/hikyakud.
std::string installation_prefix();

}  // namespace hikyaku::app
