// SPDX-License-Identifier: MIT
// A daemon for the control socket's routes that answers what it is told, and remembers what it was asked.
#pragma once

#include <map>
#include <mutex>

#include "daemon/control/control_desk.h"

namespace hikyaku::test {

class FakeDesk final : public app::ControlDesk {
 public:
  bool answers = true;
  std::size_t queued = 7;
  app::RetryReport retry_report;
  std::vector<mail::MailId> asked;
  std::vector<app::Rights> callers;
  std::vector<std::vector<mail::MailId>> hurried;
  std::vector<relay::MailOutcome> outcomes;  // one after the other, the last for ever
  std::vector<Duration> waits;
  app::StatusReport status_report;
  app::ReloadReport reload_report;
  std::vector<relay::FailedMail> failures;
  Result<std::size_t, std::string> aliases = 3U;

  std::optional<std::size_t> retry_all() override { return when_asked(queued); }
  std::optional<app::RetryReport> retry(std::vector<mail::MailId> ids, app::Rights rights) override {
    asked = std::move(ids);
    callers.push_back(rights);
    return when_asked(retry_report);
  }
  bool hurry(std::vector<mail::MailId> ids, app::Rights rights) override {
    hurried.push_back(std::move(ids));
    callers.push_back(rights);
    return answers;
  }
  std::optional<OutcomeReport> outcome(mail::MailId, std::optional<relay::MailOutcome>, app::Rights rights,
                                       Duration wait) override {
    waits.push_back(wait);
    if (outcomes.empty() || !rights.may_see(outcomes.front().uid)) return when_asked(OutcomeReport{});
    OutcomeReport report{outcomes.front(), status_report};
    if (outcomes.size() > 1) outcomes.erase(outcomes.begin());
    return when_asked(report);
  }
  std::optional<app::StatusReport> status() override { return when_asked(status_report); }
  std::optional<std::vector<relay::FailedMail>> failed(app::Rights) override { return when_asked(failures); }
  std::optional<app::ReloadReport> reload() override { return when_asked(reload_report); }
  std::optional<Result<std::size_t, std::string>> reload_aliases() override { return when_asked(aliases); }

 private:
  template <class T>
  std::optional<T> when_asked(T value) const {
    return answers ? std::optional<T>(std::move(value)) : std::nullopt;
  }
};

}  // namespace hikyaku::test
