// SPDX-License-Identifier: MIT
// The daemon for the control socket's threads: each call becomes a task on the event loop, with a time limit.
// Constructed, closed and destroyed on the loop's thread.
#pragma once

#include <functional>
#include <string>

#include "daemon/app/drain.h"
#include "daemon/app/fleet_steering.h"
#include "daemon/control/daemon_control.h"
#include "daemon/io/work.h"
#include "daemon/metrics/metrics.h"
#include "daemon/oauth/tokens.h"
#include "daemon/relay/relay.h"
#include "spool/options.h"

namespace hikyaku::app {

// All outlive the daemon.
struct LoopDaemonControlParts {
  io::Loop& loop;
  relay::Relay& relay;
  mail::MailSource& source;
  log::MailLog& log;
  std::function<Task<std::string>()> spool_trouble;  // as the disk is now; empty if there is none
  std::function<spool::SpoolUse()> spool_use;
  std::function<metrics::Counts()> counts;
  std::function<std::vector<std::string>()> warnings;
  const metrics::Metrics& metrics;
  oauth::Tokens& tokens;
  std::function<Task<control::ReloadReport>()> reload;
  std::function<Task<Result<std::size_t, std::string>>()> reload_aliases;
  Drain* drain = nullptr;        // null: cannot be drained
  mail::Fleet* fleet = nullptr;  // null: the spool is not shared
  std::string node{};            // this node's name in it
};

class LoopDaemonControl final : public control::DaemonControl {
 public:
  explicit LoopDaemonControl(LoopDaemonControlParts parts);

  // Ends all waiting calls without an answer, and returns when no task is left. Later calls get no answer.
  Task<void> close();

  std::optional<std::size_t> retry_all(std::string by) override;
  std::optional<control::RetryReport> retry(std::vector<mail::MailId> ids, control::Rights rights,
                                            std::string by) override;
  bool retry_known(std::vector<mail::MailId> ids, control::Rights rights, std::string by) override;
  std::optional<std::vector<relay::Decided>> steer(std::vector<mail::MailId> ids,
                                                   control::SteeringOrder order) override;
  std::optional<OutcomeReport> outcome(mail::MailId id, std::optional<relay::MailOutcome> seen,
                                       control::Rights rights, Duration wait) override;
  std::optional<DialogueReport> dialogue(mail::MailId id) override;
  std::optional<relay::StatusReport> status() override;
  std::optional<std::string> metrics() override;
  std::optional<std::string> takes_no_mail() override;
  std::optional<Result<relay::DrainReport, std::string>> drain(control::DrainOrder order) override;
  std::optional<std::vector<mail::FailedMail>> failed(control::Rights rights) override;
  std::optional<control::ReloadReport> reload() override;
  std::optional<Result<std::size_t, std::string>> reload_aliases() override;
  std::optional<std::vector<std::pair<std::string, mail::OAuthReport>>> oauth_reports() override;
  std::optional<Result<void, std::string>> oauth_adopt(std::string smarthost,
                                                       oauth::StoredToken token) override;
  std::optional<Result<void, std::string>> oauth_refresh(std::string smarthost) override;
  std::optional<Result<void, std::string>> oauth_revoke(std::string smarthost) override;

 private:
  using OAuthDeed = std::function<Task<Result<void, std::string>>(std::shared_ptr<oauth::Refresher>)>;
  std::optional<Result<void, std::string>> with_tokens(const std::string& smarthost, OAuthDeed deed);
  Task<control::RetryReport> load_and_retry(std::vector<mail::MailId> ids, control::Rights rights,
                                            std::string by);
  Task<bool> retry_everywhere(std::vector<mail::MailId> ids, control::Rights rights, std::string by);
  Task<std::vector<mail::Decided>> steer_everywhere(std::vector<mail::MailId> ids,
                                                    control::SteeringOrder order);
  Task<OutcomeReport> look_at(mail::MailId id, std::optional<relay::MailOutcome> seen, control::Rights rights,
                              Duration wait);
  void retry_now(const std::vector<mail::MailId>& ids, const control::Rights& rights);
  Task<relay::StatusReport> status_now();
  Task<metrics::Snapshot> snapshot();
  Task<std::optional<WallTime>> arrival_of(mail::MailId id);

  LoopDaemonControlParts parts_;
  Instant started_;
  mail::MailId oldest_;  // the mail that was the oldest when metrics were asked for the last time
  std::optional<WallTime> oldest_arrival_;
  std::optional<FleetSteering> fleet_;  // of a shared spool
  io::LoopCaller caller_;
};

}  // namespace hikyaku::app
