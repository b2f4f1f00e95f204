// SPDX-License-Identifier: MIT
// How the settings look to what decides about a mail. Pure.
#pragma once

#include "daemon/config/settings.h"
#include "daemon/relay/bouncer.h"
#include "daemon/relay/settlement.h"

namespace hikyaku::relay {

BouncePolicy bounce_policy(const config::Settings& settings);
SettlementPolicy settlement_policy(const config::QueueSettings& queue);

}  // namespace hikyaku::relay
