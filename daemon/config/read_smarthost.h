// SPDX-License-Identifier: MIT
// One smarthost from YAML: a URL, or a mapping of the keys in etc/hikyaku.yaml. Contradictions are reported,
// never settled by precedence.
#pragma once

#include <optional>
#include <vector>

#include "daemon/config/value.h"
#include "daemon/mail/smarthost.h"

namespace hikyaku::config {

// Nothing if it cannot be used at all; all that is wrong has been reported.
std::optional<mail::Smarthost> read_smarthost(const Value& value);
// The list `smarthosts`, with the names compared.
std::vector<mail::Smarthost> read_smarthosts(const Value& value);

}  // namespace hikyaku::config
