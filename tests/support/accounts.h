// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "daemon/system/accounts.h"

namespace hikyaku::test {

constexpr uid_t kCourier = 4242;

// Machines on which every account exists, and on which none does.
inline std::optional<system::Account> courier(const std::string& name) {
  return system::Account{name, kCourier, kCourier};
}
inline std::optional<system::Account> nobody_there(const std::string&) { return std::nullopt; }

}  // namespace hikyaku::test
