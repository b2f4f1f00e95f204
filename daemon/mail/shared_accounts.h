// SPDX-License-Identifier: MIT
// What the daemons of one shared spool know together beyond mail: how much of a quota is used, which smarthosts are
// proven, the tokens of a log-in. A few small values under names, each changed as a whole and only by whoever has seen
// its latest version, so that nobody locks anything while it thinks; and how many daemons there are. A daemon with a
// spool of its own has none of this, and keeps the same in files. Never for what grows with mail. The loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "daemon/base/clock.h"
#include "daemon/base/error.h"
#include "daemon/base/task.h"

namespace hikyaku::mail {

struct Account {
  std::int64_t version = 0;  // 0: there is none
  std::string state{};       // may be a secret: never for the log
  WallTime now{};            // by the clock that all daemons share
};

enum class AccountsErrorKind {
  not_done,
  unknown,  // it may have been done, or may still be
};
using AccountsError = Error<AccountsErrorKind>;

class SharedAccounts {
 public:
  virtual ~SharedAccounts() = default;
  virtual Task<Result<Account, AccountsError>> get(std::string name) = 0;
  // Durable when it returns true. False: somebody else was faster than whoever has seen `version`; nothing has changed.
  virtual Task<Result<bool, AccountsError>> put(std::string name, std::int64_t version,
                                                std::string state) = 0;

  // The daemons that are alive, this one included; as of a moment ago.
  virtual unsigned nodes() const = 0;
  // Called when that has changed.
  virtual void set_on_nodes(std::function<void()> on_nodes) = 0;
};

}  // namespace hikyaku::mail
