// SPDX-License-Identifier: MIT
#include "daemon/relay/policies.h"

namespace hikyaku::relay {

BouncePolicy bounce_policy(const config::Settings& settings) {
  return {.hostname = settings.hostname,
          .domain = settings.domain,
          .full = settings.queue.bounce_return == config::BounceReturn::full,
          .lifetime = settings.queue.lifetime};
}

SettlementPolicy settlement_policy(const config::QueueSettings& queue) {
  return {
      .lifetime = queue.lifetime,
      .delay_notice = queue.delay_notice,
      .retry = {
          .first = queue.retry.first, .factor = queue.retry.factor, .max = queue.retry.max, .spread = 0.2}};
}

}  // namespace hikyaku::relay
