// SPDX-License-Identifier: MIT
// What the control socket wants of the daemon itself, as one interface that its threads may call: the loop
// behind it answers (daemon_desk.h). An empty optional: there was no answer in time, or the daemon stops.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/control/control_rights.h"
#include "daemon/relay/outcome_board.h"
#include "daemon/relay/status.h"

namespace hikyaku::control {

struct RetryReport {
  std::vector<mail::MailId> retried;
  std::vector<mail::MailId> held;     // they wait for the operator
  std::vector<mail::MailId> unknown;  // not queued, or not the caller's
};

// What a reload of the configuration came to.
struct ReloadReport {
  std::vector<std::string> problems;  // if there are any, nothing has changed
  std::vector<std::string> kept;      // keys that only a restart changes
};

class ControlDesk {
 public:
  virtual ~ControlDesk() = default;

  // Everything that waits; how many are now due or under way. Smarthosts that are paused are looked at again.
  virtual std::optional<std::size_t> retry_all() = 0;
  // Those of `ids` that the caller may see.
  virtual std::optional<RetryReport> retry(std::vector<mail::MailId> ids, Rights rights) = 0;
  // Likewise, of mails that are known to be the caller's and not held; false: no answer.
  virtual bool hurry(std::vector<mail::MailId> ids, Rights rights) = 0;

  struct OutcomeReport {
    std::optional<relay::MailOutcome> outcome;  // nullopt: unknown, or not the caller's
    relay::StatusReport status;                 // of then, as far as the relay knows it
  };
  // As soon as it differs from `seen`, or what it is when `wait` is over.
  virtual std::optional<OutcomeReport> outcome(mail::MailId id, std::optional<relay::MailOutcome> seen,
                                               Rights rights, Duration wait) = 0;

  virtual std::optional<relay::StatusReport> status() = 0;
  // Those of the last day that the caller may see, newest first.
  virtual std::optional<std::vector<mail::FailedMail>> failed(Rights rights) = 0;
  virtual std::optional<ReloadReport> reload() = 0;
  // How many there are now, or what is wrong with the file; then nothing has changed.
  virtual std::optional<Result<std::size_t, std::string>> reload_aliases() = 0;
};

}  // namespace hikyaku::control
