// SPDX-License-Identifier: MIT
// The daemon's status as a few lines for people. Pure.
#pragma once

#include <string>

#include "daemon/base/json_value.h"

namespace hikyaku::app {

// Of what GET /v1/status answers.
std::string status_text(const JsonValue& status);
// Whether something stays as it is until the operator does something about it: a paused smarthost, trouble
// with the spool, mail that is held, a warning.
bool needs_operator(const JsonValue& status);

}  // namespace hikyaku::app
