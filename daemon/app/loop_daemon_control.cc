// SPDX-License-Identifier: MIT
#include "daemon/app/loop_daemon_control.h"

#include <utility>

namespace hikyaku::app {
namespace {

// For what takes the loop no time unless it is overloaded, and for what reads files or looks up names.
constexpr std::chrono::seconds kTimeout(10);
constexpr std::chrono::seconds kReadingTimeout(60);

using OAuthReports = std::vector<std::pair<std::string, mail::OAuthReport>>;
using TokensOfOne = std::shared_ptr<oauth::Refresher>;

Task<Result<void, std::string>> with_one(TokensOfOne tokens, std::string smarthost,
                                         std::function<Task<Result<void, std::string>>(TokensOfOne)> deed) {
  if (!tokens) co_return std::unexpected("no smarthost with `oauth` is called " + smarthost);
  auto done = co_await deed(std::move(tokens));
  co_return done;
}

}  // namespace

LoopDaemonControl::LoopDaemonControl(LoopDaemonControlParts parts)
    : parts_(std::move(parts)), started_(parts_.loop.now()), caller_(parts_.loop) {
  if (parts_.fleet != nullptr)
    fleet_.emplace(*parts_.fleet, parts_.relay, parts_.source, parts_.log, parts_.node);
}

Task<void> LoopDaemonControl::close() {
  if (parts_.fleet != nullptr) parts_.fleet->serve(nullptr);
  co_await caller_.close();
}

std::optional<std::size_t> LoopDaemonControl::retry_all(std::string by) {
  return caller_.call<std::size_t>(
      [this, by = std::move(by)]() -> Task<std::size_t> {
        std::size_t count = parts_.relay.retry_all();
        parts_.log.info("all mail is due now", {{"mails", count}});
        if (fleet_) count += co_await fleet_->retry_all(by);
        co_return count;
      },
      kReadingTimeout);
}

std::optional<control::RetryReport> LoopDaemonControl::retry(std::vector<mail::MailId> ids,
                                                             control::Rights rights, std::string by) {
  return caller_.call<control::RetryReport>(
      [this, ids = std::move(ids), rights, by = std::move(by)] { return load_and_retry(ids, rights, by); },
      kReadingTimeout);
}

Task<control::RetryReport> LoopDaemonControl::load_and_retry(std::vector<mail::MailId> ids,
                                                             control::Rights rights, std::string by) {
  control::RetryReport report;
  for (mail::MailId id : ids) {
    auto mail = co_await parts_.source.load(id);
    bool is_known = mail && rights.may_see(mail->envelope.uid);
    auto& list = !is_known ? report.unknown : mail->progress.held ? report.held : report.retried;
    list.push_back(id);
  }
  retry_now(report.retried, rights);
  if (fleet_) co_await fleet_->settle(report, rights, std::move(by));
  co_return report;
}

bool LoopDaemonControl::retry_known(std::vector<mail::MailId> ids, control::Rights rights, std::string by) {
  auto done = caller_.call<bool>(
      [this, ids = std::move(ids), rights, by = std::move(by)] { return retry_everywhere(ids, rights, by); },
      kReadingTimeout);
  return done.has_value();
}

Task<bool> LoopDaemonControl::retry_everywhere(std::vector<mail::MailId> ids, control::Rights rights,
                                               std::string by) {
  if (fleet_)
    co_await fleet_->retry_known(std::move(ids), rights, std::move(by));
  else
    retry_now(ids, rights);
  co_return true;
}

// A paused smarthost is probed for the operator only: anyone else could have our account blocked by making us
// log in again and again.
void LoopDaemonControl::retry_now(const std::vector<mail::MailId>& ids, const control::Rights& rights) {
  parts_.relay.retry(ids);
  if (rights.is_operator && !ids.empty()) parts_.relay.probe_paused();
}

std::optional<std::vector<relay::Decided>> LoopDaemonControl::steer(std::vector<mail::MailId> ids,
                                                                    control::SteeringOrder order) {
  return caller_.call<std::vector<relay::Decided>>(
      [this, ids = std::move(ids), order = std::move(order)] { return steer_everywhere(ids, order); },
      kReadingTimeout);
}

Task<std::vector<mail::Decided>> LoopDaemonControl::steer_everywhere(std::vector<mail::MailId> ids,
                                                                     control::SteeringOrder order) {
  auto may_change = [rights = order.rights](const std::optional<std::uint32_t>& owner) {
    return rights.may_change(owner);
  };
  auto answers = co_await parts_.relay.steering().apply(
      std::move(ids), relay::Instruction{order.decision, order.by, may_change});
  if (fleet_) co_await fleet_->settle(answers, std::move(order));
  co_return answers;
}

std::optional<control::DaemonControl::OutcomeReport> LoopDaemonControl::outcome(
    mail::MailId id, std::optional<relay::MailOutcome> seen, control::Rights rights, Duration wait) {
  return caller_.call<OutcomeReport>(
      [this, id, seen = std::move(seen), rights, wait] { return look_at(id, seen, rights, wait); },
      kTimeout + std::chrono::ceil<std::chrono::seconds>(wait));
}

Task<control::DaemonControl::OutcomeReport> LoopDaemonControl::look_at(mail::MailId id,
                                                                       std::optional<relay::MailOutcome> seen,
                                                                       control::Rights rights,
                                                                       Duration wait) {
  relay::OutcomeBoard& board = parts_.relay.outcomes();
  auto now = board.find(id);
  if (!now) {
    auto queued = co_await parts_.source.load(id);
    now = board.find(id);
    if (!now && queued) now = relay::outcome_of(*queued);
  }
  if (!now || !rights.may_see(now->uid)) co_return OutcomeReport{};
  if (seen == now && wait > Duration(0)) {
    auto next = co_await board.next(id, parts_.loop.within(wait, &caller_.cancel()));
    if (next) now = std::move(next);
  }
  co_return OutcomeReport{std::move(now), parts_.relay.report()};
}

std::optional<control::DaemonControl::DialogueReport> LoopDaemonControl::dialogue(mail::MailId id) {
  return caller_.call<DialogueReport>(
      [this, id]() -> Task<DialogueReport> {
        const Duration uptime = parts_.loop.now() - started_;
        co_return DialogueReport{parts_.relay.dialogues().of(id), parts_.loop.clock().wall() - uptime};
      },
      kTimeout);
}

std::optional<relay::StatusReport> LoopDaemonControl::status() {
  return caller_.call<relay::StatusReport>([this] { return status_now(); }, kTimeout);
}

std::optional<std::vector<mail::FailedMail>> LoopDaemonControl::failed(control::Rights rights) {
  std::optional<std::uint32_t> whose = rights.is_operator ? std::nullopt : std::optional(rights.uid);
  return caller_.call<std::vector<mail::FailedMail>>(
      [this, whose]() -> Task<std::vector<mail::FailedMail>> {
        co_return parts_.relay.outcomes().failed(whose);
      },
      kTimeout);
}

Task<relay::StatusReport> LoopDaemonControl::status_now() {
  std::string trouble = co_await parts_.spool_trouble();
  relay::StatusReport status = parts_.relay.report();
  status.version = HIKYAKU_VERSION;
  status.uptime = parts_.loop.now() - started_;
  status.spool_trouble = std::move(trouble);
  status.warnings = parts_.warnings();
  if (parts_.drain != nullptr) status.drain = parts_.drain->report();
  if (parts_.fleet != nullptr)
    if (auto fleet = co_await parts_.fleet->report()) status.fleet = std::move(*fleet);
  co_return status;
}

// The loop only looks; the text is made by the thread that asks.
std::optional<std::string> LoopDaemonControl::metrics() {
  auto now = caller_.call<metrics::Snapshot>([this] { return snapshot(); }, kTimeout);
  return now ? std::optional(parts_.metrics.text(*now)) : std::nullopt;
}

Task<metrics::Snapshot> LoopDaemonControl::snapshot() {
  metrics::Snapshot snapshot{.status = co_await status_now(), .spool = parts_.spool_use()};
  snapshot.oldest = co_await arrival_of(snapshot.spool.oldest);
  snapshot.counts = parts_.counts();
  snapshot.now = parts_.loop.clock().wall();
  snapshot.instant = parts_.loop.now();
  co_return snapshot;
}

// The index does not have it: it is read once for each mail that becomes the oldest. A mail that ends
// meanwhile, or cannot be read, has none.
Task<std::optional<WallTime>> LoopDaemonControl::arrival_of(mail::MailId id) {
  if (id == mail::MailId()) co_return std::nullopt;
  if (oldest_ == id) co_return oldest_arrival_;
  auto mail = co_await parts_.source.load(id);
  if (!mail) co_return std::nullopt;
  oldest_ = id;
  oldest_arrival_ = mail->arrival;
  co_return oldest_arrival_;
}

std::optional<std::string> LoopDaemonControl::takes_no_mail() {
  return caller_.call<std::string>(
      [this]() -> Task<std::string> {
        const std::string trouble = co_await parts_.spool_trouble();
        const bool is_drained = parts_.drain != nullptr && parts_.drain->is_closed();
        co_return !trouble.empty() ? "the spool takes no new mail"
        : is_drained               ? "the daemon is being drained, and takes no mail"
                                   : "";
      },
      kTimeout);
}

std::optional<Result<relay::DrainReport, std::string>> LoopDaemonControl::drain(control::DrainOrder order) {
  using Answer = Result<relay::DrainReport, std::string>;
  return caller_.call<Answer>(
      [this, order = std::move(order)]() -> Task<Answer> {
        if (parts_.drain == nullptr) co_return std::unexpected("this daemon cannot be drained");
        auto report = co_await parts_.drain->obey(order);
        co_return report;
      },
      kReadingTimeout);
}

std::optional<OAuthReports> LoopDaemonControl::oauth_reports() {
  return caller_.call<OAuthReports>(
      [this]() -> Task<OAuthReports> {
        OAuthReports reports;
        for (const auto& each : parts_.tokens.all())
          reports.emplace_back(each->smarthost().name, each->report());
        co_return reports;
      },
      kTimeout);
}

// The longest are two requests to a provider, one after the other.
std::optional<Result<void, std::string>> LoopDaemonControl::with_tokens(const std::string& smarthost,
                                                                        OAuthDeed deed) {
  return caller_.call<Result<void, std::string>>(
      [this, smarthost, deed = std::move(deed)] {
        return with_one(parts_.tokens.find(smarthost), smarthost, deed);
      },
      kReadingTimeout);
}

std::optional<Result<void, std::string>> LoopDaemonControl::oauth_adopt(std::string smarthost,
                                                                        oauth::StoredToken token) {
  return with_tokens(smarthost, [token = std::move(token)](std::shared_ptr<oauth::Refresher> tokens) {
    return tokens->adopt(token);
  });
}

std::optional<Result<void, std::string>> LoopDaemonControl::oauth_refresh(std::string smarthost) {
  return with_tokens(smarthost,
                     [](std::shared_ptr<oauth::Refresher> tokens) { return tokens->refresh_now(); });
}

std::optional<Result<void, std::string>> LoopDaemonControl::oauth_revoke(std::string smarthost) {
  return with_tokens(smarthost,
                     [](std::shared_ptr<oauth::Refresher> tokens) { return tokens->revoke_now(); });
}

std::optional<control::ReloadReport> LoopDaemonControl::reload() {
  return caller_.call<control::ReloadReport>([this] { return parts_.reload(); }, kReadingTimeout);
}

std::optional<Result<std::size_t, std::string>> LoopDaemonControl::reload_aliases() {
  return caller_.call<Result<std::size_t, std::string>>([this] { return parts_.reload_aliases(); },
                                                        kReadingTimeout);
}

}  // namespace hikyaku::app
