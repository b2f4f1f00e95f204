// SPDX-License-Identifier: MIT
// What the control socket wants of the daemon itself, as one interface that its threads may call: the loop
// behind it answers (daemon_desk.h). An empty optional: there was no answer in time, or the daemon stops.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/app/control_rights.h"
#include "daemon/app/outcome_board.h"
#include "daemon/base/clock.h"

namespace hikyaku::app {

struct SmarthostReport {
  std::string name;
  std::string host;
  std::uint16_t port = 0;
  bool is_proven = false;
  std::size_t connections = 0;
  std::string trouble;                 // why nothing goes there just now; empty: it is up
  std::optional<WallTime> next_probe;  // of one that is paused; now, while one is made
  std::optional<WallTime> since{};     // likewise
  std::string public_trouble{};        // `trouble` without names of accounts, for everybody
  bool is_paused() const { return next_probe.has_value(); }
};

struct StatusReport {
  std::string version;
  Duration uptime{0};
  std::size_t active = 0;    // due or under way, and there is a smarthost that takes it
  std::size_t deferred = 0;  // waits for its time or for a smarthost: see route_state.h
  std::size_t held = 0;
  std::string spool_trouble;  // why the spool takes no new mail; empty: it does
  std::vector<SmarthostReport> smarthosts;
  std::optional<WallTime> last_delivery;  // since the start
  std::size_t failed = 0;                 // mails that did not reach everybody, in the last day
  std::optional<WallTime> released{};     // when all that waited for its time became due, the last time
  std::vector<std::string> warnings;      // of the set-up (config/warnings.h)
};

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
    std::optional<MailOutcome> outcome;  // nullopt: unknown, or not the caller's
    StatusReport status;                 // of then, as far as the relay knows it
  };
  // As soon as it differs from `seen`, or what it is when `wait` is over.
  virtual std::optional<OutcomeReport> outcome(mail::MailId id, std::optional<MailOutcome> seen,
                                               Rights rights, Duration wait) = 0;

  virtual std::optional<StatusReport> status() = 0;
  // Those of the last day that the caller may see, newest first.
  virtual std::optional<std::vector<FailedMail>> failed(Rights rights) = 0;
  virtual std::optional<ReloadReport> reload() = 0;
  // How many there are now, or what is wrong with the file; then nothing has changed.
  virtual std::optional<Result<std::size_t, std::string>> reload_aliases() = 0;
};

}  // namespace hikyaku::app
