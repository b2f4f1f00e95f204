// SPDX-License-Identifier: MIT
// The completion scripts of bash, zsh and fish. They ask `hikyaku` itself for queued mails and smarthosts, with the -c that
// is on the command line already, and stay silent where it cannot answer. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/commands/completion.h"

namespace hikyaku::commands {

// `shell` is "bash", "zsh" or "fish".
std::string completion_script(std::string_view shell, const std::vector<CompletedCommand>& commands);

}  // namespace hikyaku::commands
