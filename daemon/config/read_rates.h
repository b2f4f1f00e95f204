// SPDX-License-Identifier: MIT
// A smarthost's `rate`: one such as 60/min, or a list of them, each unit at most once.
#pragma once

#include "daemon/config/value.h"
#include "daemon/mail/smarthost.h"

namespace hikyaku::config {

void read_rates(const Value& value, mail::Smarthost& smarthost);

}  // namespace hikyaku::config
