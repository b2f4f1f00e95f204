// SPDX-License-Identifier: MIT
// The daemon's status as a few lines for people. Pure.
#pragma once

#include <string>

#include "daemon/base/json_value.h"

namespace hikyaku::commands {

// Of what GET /v1/status answers.
std::string status_text(const JsonValue& status);
// Whether mail waits for something that the operator may have to do: a smarthost is paused, the spool has
// trouble, mail is held. Warnings about the set-up, which may be as it is on purpose, do not count.
bool needs_operator(const JsonValue& status);

}  // namespace hikyaku::commands
