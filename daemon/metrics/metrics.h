// SPDX-License-Identifier: MIT
// What the daemon has done since its start, counted, and how it stands, in Prometheus's text format (0.0.4). Counts
// are taken from the mail log's events. Nothing here may name a person or a mail: the only labels are states, reasons
// and the configured names of smarthosts and nodes. Thread-safe: the loop counts, and the thread that asks makes the text.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/log/mail_log.h"
#include "daemon/mail/smarthost.h"
#include "daemon/relay/status.h"
#include "spool/options.h"

namespace hikyaku::metrics {

// What the parts themselves have counted since the start.
struct Sessions {
  std::uint64_t now = 0;
  std::uint64_t begun = 0;
};
struct Counts {
  spool::FlushTimes flushes;
  Sessions over_tcp;  // of clients
  Sessions local;     // over the Unix socket
  std::uint64_t turned_away = 0;
  std::uint64_t drops_waiting = 0;
  std::uint64_t drops_taken = 0;
  std::uint64_t drops_refused = 0;
};

// How the daemon stands at one moment.
struct Snapshot {
  relay::StatusReport status;
  spool::SpoolUse spool;
  Counts counts{};
  std::optional<WallTime> oldest{};  // the arrival of the oldest queued mail
  WallTime now{};
  Instant instant{};  // the same moment
};

class Metrics final : public log::MailObserver {
 public:
  Metrics();
  ~Metrics() override;
  Metrics(const Metrics&) = delete;

  // Whatever can be counted of these smarthosts is there from now on, at 0: an alarm on a rate needs the 0 before the
  // 1. The counts of other smarthosts stay. All pauses have ended.
  void configure(const std::vector<mail::Smarthost>& smarthosts, Instant now);

  // log::MailObserver
  void accepted(const log::Accepted& accepted) override;
  void outcome(const log::Outcome& outcome) override;
  void smarthost(const log::SmarthostChange& change) override;
  void connection(const log::Connection& connection) override;
  void bounce(const log::Bounce& bounce) override;
  void rejected(const log::Rejected& rejected) override;

  // All of it, a series a line.
  std::string text(const Snapshot& now) const;

 private:
  struct Series;
  std::unique_ptr<Series> series_;
};

}  // namespace hikyaku::metrics
