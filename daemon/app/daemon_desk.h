// SPDX-License-Identifier: MIT
// The daemon as the control socket's threads may ask it: each question becomes a task of the loop's, and has
// a bound. Made, closed and destroyed on the loop's thread.
#pragma once

#include <functional>
#include <string>

#include "daemon/control/control_desk.h"
#include "daemon/io/work.h"
#include "daemon/relay/relay.h"

namespace hikyaku::app {

// All outlive the desk.
struct DeskParts {
  io::Loop& loop;
  relay::Relay& relay;
  mail::MailSource& source;
  log::MailLog& log;
  std::function<Task<std::string>()> spool_trouble;  // as the disk is now; empty: none
  std::function<std::vector<std::string>()> warnings;
  std::function<Task<control::ReloadReport>()> reload;
  std::function<Task<Result<std::size_t, std::string>>()> reload_aliases;
};

class DaemonDesk final : public control::ControlDesk {
 public:
  explicit DaemonDesk(DeskParts parts);

  // Sends away who waits; returns when nothing is being answered any more. Afterwards there are no answers.
  Task<void> closed() { return loop_caller_.close(); }

  std::optional<std::size_t> retry_all() override;
  std::optional<control::RetryReport> retry(std::vector<mail::MailId> ids, control::Rights rights) override;
  bool hurry(std::vector<mail::MailId> ids, control::Rights rights) override;
  std::optional<OutcomeReport> outcome(mail::MailId id, std::optional<relay::MailOutcome> seen,
                                       control::Rights rights, Duration wait) override;
  std::optional<relay::StatusReport> status() override;
  std::optional<std::vector<mail::FailedMail>> failed(control::Rights rights) override;
  std::optional<control::ReloadReport> reload() override;
  std::optional<Result<std::size_t, std::string>> reload_aliases() override;

 private:
  Task<control::RetryReport> look_up_and_retry(std::vector<mail::MailId> ids, control::Rights rights);
  Task<OutcomeReport> look_at(mail::MailId id, std::optional<relay::MailOutcome> seen, control::Rights rights,
                              Duration wait);
  void hurried(const std::vector<mail::MailId>& ids, const control::Rights& rights);
  Task<relay::StatusReport> status_now();

  DeskParts parts_;
  Instant started_;
  io::LoopCaller loop_caller_;
};

}  // namespace hikyaku::app
