// SPDX-License-Identifier: MIT
#include "daemon/app/daemon_desk.h"

#include <utility>

namespace hikyaku::app {
namespace {

// For what the loop does in no time unless it has far too much to do; and for what reads files and names.
constexpr std::chrono::seconds kSoon(10);
constexpr std::chrono::seconds kWithReading(60);

}  // namespace

DaemonDesk::DaemonDesk(DeskParts parts)
    : parts_(std::move(parts)), started_(parts_.loop.now()), loop_caller_(parts_.loop) {}

std::optional<std::size_t> DaemonDesk::retry_all() {
  return loop_caller_.call<std::size_t>(
      [this]() -> Task<std::size_t> {
        std::size_t count = parts_.relay.retry_all();
        parts_.log.info("everything is tried now", {{"mails", count}});
        co_return count;
      },
      kSoon);
}

std::optional<control::RetryReport> DaemonDesk::retry(std::vector<mail::MailId> ids, control::Rights rights) {
  return loop_caller_.call<control::RetryReport>(
      [this, ids = std::move(ids), rights] { return look_up_and_retry(ids, rights); }, kWithReading);
}

Task<control::RetryReport> DaemonDesk::look_up_and_retry(std::vector<mail::MailId> ids,
                                                         control::Rights rights) {
  control::RetryReport report;
  for (mail::MailId id : ids) {
    auto mail = co_await parts_.source.load(id);
    bool is_known = mail && rights.may_see(mail->envelope.uid);
    auto& list = !is_known ? report.unknown : mail->progress.held ? report.held : report.retried;
    list.push_back(id);
  }
  hurried(report.retried, rights);
  co_return report;
}

bool DaemonDesk::hurry(std::vector<mail::MailId> ids, control::Rights rights) {
  auto done = loop_caller_.call<bool>(
      [this, ids = std::move(ids), rights]() -> Task<bool> {
        hurried(ids, rights);
        co_return true;
      },
      kSoon);
  return done.has_value();
}

// A smarthost that is paused is looked at again for the operator only: whoever could make us log in at will
// could have our account blocked.
void DaemonDesk::hurried(const std::vector<mail::MailId>& ids, const control::Rights& rights) {
  parts_.relay.retry(ids);
  if (rights.all && !ids.empty()) parts_.relay.probe_paused();
}

std::optional<control::ControlDesk::OutcomeReport> DaemonDesk::outcome(mail::MailId id,
                                                                       std::optional<relay::MailOutcome> seen,
                                                                       control::Rights rights,
                                                                       Duration wait) {
  return loop_caller_.call<OutcomeReport>(
      [this, id, seen = std::move(seen), rights, wait] { return look_at(id, seen, rights, wait); },
      kSoon + std::chrono::ceil<std::chrono::seconds>(wait));
}

Task<control::ControlDesk::OutcomeReport> DaemonDesk::look_at(mail::MailId id,
                                                              std::optional<relay::MailOutcome> seen,
                                                              control::Rights rights, Duration wait) {
  relay::OutcomeBoard& board = parts_.relay.outcomes();
  auto now = board.find(id);
  if (!now) {
    auto queued = co_await parts_.source.load(id);
    now = board.find(id);
    if (!now && queued) now = relay::outcome_of(*queued);
  }
  if (!now || !rights.may_see(now->uid)) co_return OutcomeReport{};
  if (seen == now && wait > Duration(0)) {
    auto next = co_await board.next(id, parts_.loop.within(wait, &loop_caller_.cancel()));
    if (next) now = std::move(next);
  }
  co_return OutcomeReport{std::move(now), parts_.relay.report()};
}

std::optional<relay::StatusReport> DaemonDesk::status() {
  return loop_caller_.call<relay::StatusReport>([this] { return status_now(); }, kSoon);
}

std::optional<std::vector<mail::FailedMail>> DaemonDesk::failed(control::Rights rights) {
  std::optional<std::uint32_t> whose = rights.all ? std::nullopt : std::optional(rights.uid);
  return loop_caller_.call<std::vector<mail::FailedMail>>(
      [this, whose]() -> Task<std::vector<mail::FailedMail>> {
        co_return parts_.relay.outcomes().failed(whose);
      },
      kSoon);
}

Task<relay::StatusReport> DaemonDesk::status_now() {
  std::string trouble = co_await parts_.spool_trouble();
  relay::StatusReport status = parts_.relay.report();
  status.version = HIKYAKU_VERSION;
  status.uptime = parts_.loop.now() - started_;
  status.spool_trouble = std::move(trouble);
  status.warnings = parts_.warnings();
  co_return status;
}

std::optional<control::ReloadReport> DaemonDesk::reload() {
  return loop_caller_.call<control::ReloadReport>([this] { return parts_.reload(); }, kWithReading);
}

std::optional<Result<std::size_t, std::string>> DaemonDesk::reload_aliases() {
  return loop_caller_.call<Result<std::size_t, std::string>>([this] { return parts_.reload_aliases(); },
                                                             kWithReading);
}

}  // namespace hikyaku::app
