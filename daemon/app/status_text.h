// SPDX-License-Identifier: MIT
// The daemon's status as a few lines for people. Pure.
#pragma once

#include <string>

#include "daemon/base/json_value.h"

namespace hikyaku::app {

// Of what GET /v1/status answers.
std::string status_text(const JsonValue& status);

}  // namespace hikyaku::app
