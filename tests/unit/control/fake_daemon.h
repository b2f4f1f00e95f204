// SPDX-License-Identifier: MIT
// A daemon for the control socket's routes that answers what it is told, and remembers what it was asked.
#pragma once

#include <map>
#include <mutex>

#include "daemon/control/daemon_control.h"

namespace hikyaku::test {

class FakeDaemon final : public control::DaemonControl {
 public:
  bool answers = true;
  std::size_t queued = 7;
  control::RetryReport retry_report;
  std::vector<mail::MailId> asked;
  std::vector<control::Rights> callers;
  std::vector<std::vector<mail::MailId>> retried;
  std::vector<relay::MailOutcome> outcomes;  // one after the other, the last for ever
  std::vector<Duration> waits;
  relay::StatusReport status_report;
  control::ReloadReport reload_report;
  std::vector<mail::FailedMail> failures;
  Result<std::size_t, std::string> aliases = 3U;

  std::optional<std::size_t> retry_all(std::string /*by*/) override { return when_asked(queued); }
  std::optional<control::RetryReport> retry(std::vector<mail::MailId> ids, control::Rights rights,
                                            std::string /*by*/) override {
    asked = std::move(ids);
    callers.push_back(rights);
    return when_asked(retry_report);
  }
  bool retry_known(std::vector<mail::MailId> ids, control::Rights rights, std::string /*by*/) override {
    retried.push_back(std::move(ids));
    callers.push_back(rights);
    return answers;
  }
  std::vector<relay::Decided> decided;
  std::vector<control::SteeringOrder> orders;
  std::optional<std::vector<relay::Decided>> steer(std::vector<mail::MailId> ids,
                                                   control::SteeringOrder order) override {
    asked = std::move(ids);
    orders.push_back(std::move(order));
    if (!decided.empty()) return when_asked(decided);
    std::vector<relay::Decided> done;
    for (mail::MailId id : asked) done.push_back({.id = id});
    return when_asked(done);
  }
  std::optional<OutcomeReport> outcome(mail::MailId, std::optional<relay::MailOutcome>,
                                       control::Rights rights, Duration wait) override {
    waits.push_back(wait);
    if (outcomes.empty() || !rights.may_see(outcomes.front().uid)) return when_asked(OutcomeReport{});
    OutcomeReport report{outcomes.front(), status_report};
    if (outcomes.size() > 1) outcomes.erase(outcomes.begin());
    return when_asked(report);
  }
  DialogueReport dialogue_report;
  std::optional<DialogueReport> dialogue(mail::MailId id) override {
    asked = {id};
    return when_asked(dialogue_report);
  }
  std::optional<relay::StatusReport> status() override { return when_asked(status_report); }
  std::string metrics_text = "hikyaku_uptime_seconds 1\n";
  bool spool_takes_mail = true;
  std::optional<std::string> metrics() override { return when_asked(metrics_text); }
  std::optional<std::string> takes_no_mail() override {
    return when_asked(std::string(spool_takes_mail ? "" : "the spool takes no new mail"));
  }
  std::vector<control::DrainOrder> drain_orders;
  std::vector<Result<relay::DrainReport, std::string>> drains;  // one after the other, the last for ever
  std::optional<Result<relay::DrainReport, std::string>> drain(control::DrainOrder order) override {
    drain_orders.push_back(std::move(order));
    Result<relay::DrainReport, std::string> report = std::unexpected("there is no drain under way");
    if (!drains.empty()) report = drains.front();
    if (drains.size() > 1) drains.erase(drains.begin());
    return when_asked(report);
  }
  std::optional<std::vector<mail::FailedMail>> failed(control::Rights) override {
    return when_asked(failures);
  }
  std::optional<control::ReloadReport> reload() override { return when_asked(reload_report); }
  std::optional<Result<std::size_t, std::string>> reload_aliases() override { return when_asked(aliases); }

  std::vector<std::pair<std::string, mail::OAuthReport>> oauth;
  std::vector<oauth::StoredToken> adopted;
  std::vector<std::string> oauth_asked;  // "refresh main"
  Result<void, std::string> oauth_result;
  std::optional<std::vector<std::pair<std::string, mail::OAuthReport>>> oauth_reports() override {
    return when_asked(oauth);
  }
  std::optional<Result<void, std::string>> oauth_adopt(std::string smarthost,
                                                       oauth::StoredToken token) override {
    oauth_asked.push_back("adopt " + smarthost);
    adopted.push_back(std::move(token));
    return when_asked(oauth_result);
  }
  std::optional<Result<void, std::string>> oauth_refresh(std::string smarthost) override {
    oauth_asked.push_back("refresh " + smarthost);
    return when_asked(oauth_result);
  }
  std::optional<Result<void, std::string>> oauth_revoke(std::string smarthost) override {
    oauth_asked.push_back("revoke " + smarthost);
    return when_asked(oauth_result);
  }

 private:
  template <class T>
  std::optional<T> when_asked(T value) const {
    return answers ? std::optional<T>(std::move(value)) : std::nullopt;
  }
};

}  // namespace hikyaku::test
