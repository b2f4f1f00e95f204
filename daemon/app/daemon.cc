// SPDX-License-Identifier: MIT
#include "daemon/app/daemon.h"

#include <unistd.h>

#include <csignal>
#include <cstring>
#include <utility>

#include "daemon/app/loading.h"
#include "daemon/app/reload.h"
#include "daemon/base/error.h"
#include "daemon/base/random.h"
#include "daemon/base/text.h"
#include "daemon/control/control_socket.h"
#include "daemon/io/work.h"
#include "daemon/system/directories.h"

namespace hikyaku::app {
namespace {

constexpr std::size_t kTokenLength = 20;
// The status line is looked at now and then rather than told at each change: under load it changes a
// thousand times a second.
constexpr Duration kStatusInterval = 2s;
constexpr Duration kLookupLimit = 10s;
constexpr Duration kLookAtDisk = 2s;
constexpr std::chrono::milliseconds kControlGrace = 1s;

}  // namespace

Daemon::Daemon(io::Loop& loop, log::MailLog& log, std::string config_file, Loaded loaded, Listening listening)
    : loop_(loop),
      log_(log),
      config_file_(std::move(config_file)),
      settings_(std::move(loaded.settings)),
      first_credentials_(std::move(loaded.credentials)),
      first_aliases_(std::move(loaded.aliases)),
      listeners_(std::move(listening.listeners)),
      was_root_(loaded.account.has_value()),
      token_(random_token(kTokenLength)),
      observer_(log),
      resolver_(loop),
      connector_(loop, resolver_, [this](const Endpoint& to) { return own_endpoints_.contains(to); }),
      signals_(loop, {SIGTERM, SIGINT, SIGHUP}),
      reloaded_(loop),
      background_(loop),
      submitters_(loop, background_),
      stopping_(loop) {
  for (const std::string& note : listening.notes) log_.info(note);
  for (const auto& listener : listeners_)
    if (!listening_) listening_ = listener->local();
}

Task<Exit> Daemon::run() {
  background_.spawn(tell_manager());
  auto started = co_await start();
  if (started)
    co_await serve();
  else
    log_.error(started.error().text);
  co_await stop();
  co_return started ? Exit::ok : started.error().kind;
}

Task<void> Daemon::serve() {
  for (;;) {
    auto number = co_await signals_.next({});
    check(number.has_value(), "a wait without end has ended");
    if (*number != SIGHUP) co_return log_.stopping(cat("SIG", ::sigabbrev_np(*number)));
    co_await reload();
  }
}

// One at a time, whoever asks: looking up names suspends it.
Task<control::ReloadReport> Daemon::reload() {
  while (is_reloading_) co_await reloaded_.wait({});
  is_reloading_ = true;
  control::ReloadReport report = co_await reload_now();
  is_reloading_ = false;
  reloaded_.notify();
  co_return report;
}

// All or nothing: what cannot be read, or is wrong, leaves everything as it was.
Task<control::ReloadReport> Daemon::reload_now() {
  manager_.reloading();
  auto fresh = co_await io::run_on_pool(loop_, [&] { return load_everything(config_file_, Purpose::run); });
  if (fresh) co_await look_up_credentials(fresh->settings, fresh->credentials);
  control::ReloadReport report;
  if (is_stopping_) report.problems = {"hikyakud is stopping"};
  if (is_stopping_) co_return report;
  Result<void, config::Problems> taken;
  if (fresh) report.kept = keep_until_restart(settings_, fresh->settings);
  taken = fresh ? relay_->configure(fresh->settings) : std::unexpected(std::move(fresh.error()));
  if (taken) {
    take_over(std::move(*fresh), report.kept);
    co_await tell_sendmail();
  } else {
    log_.reload_failed(report.problems = config::to_lines(taken.error()));
  }
  not_reloaded_ = taken ? "" : config::to_text(taken.error().front());
  manager_.ready(status_line());
  co_return report;
}

void Daemon::take_over(Loaded fresh, const std::vector<std::string>& kept) {
  settings_ = std::move(fresh.settings);
  take_over_submit();
  acceptor_->configure(acceptor_options(settings_, token_, &submitters_));
  if (pickup_) pickup_->configure(pickup_options());
  take_over_control();
  log_.set_options(log_options(settings_));
  take_aliases(std::move(fresh.aliases));
  log_.reloaded();
  if (!kept.empty()) log_.warning(cat("needs a restart to change: ", join(kept, ", ")));
  warnings_.clear();
  background_.spawn(judge_setup());
}

void Daemon::take_over_control() {
  if (!control_) return;
  control_->set_group(settings_.control.group);
  control::share_control_socket(system::control_socket_in(settings_.runtime_directory),
                                {system::kDropGroup, settings_.control.group});
}

// The entry for an address of the smarthost goes before the one for any host.
Task<void> Daemon::look_up_credentials(config::Settings& settings, const config::Authinfo& entries) {
  for (mail::Smarthost& smarthost : settings.smarthosts) {
    if (!config::depends_on_addresses(smarthost, entries)) continue;
    auto addresses = co_await resolver_.resolve(smarthost.host, loop_.within(kLookupLimit, &leaving_));
    if (addresses)
      config::attach_credentials(smarthost, entries, std::move(*addresses));
    else
      log_.warning(cat("entries by address in ", settings.authinfo.path, " are not used for ", smarthost.name,
                       ": ", addresses.error().text));
  }
}

// Clients and smarthosts get the same grace, at the same time. Also for a start that came to nothing.
Task<void> Daemon::stop() {
  is_stopping_ = true;
  leaving_.request();
  manager_.stopping();
  background_.spawn(hurry());
  if (control_socket_) ::unlink(system::control_socket_in(settings_.runtime_directory).c_str());
  if (desk_) stopping_.spawn(stop_control());
  if (acceptor_) stopping_.spawn(acceptor_->stop(settings_.shutdown_grace));
  if (relay_) stopping_.spawn(relay_->stop(settings_.shutdown_grace));
  if (pickup_) stopping_.spawn(pickup_->stop(settings_.shutdown_grace));
  co_await stopping_.drained({});
  ended_.request();
  co_await background_.drained({});
  if (spool_) co_await spool_->close();
  if (acceptor_) log_.stopped(relay_->queued());
}

// Whoever waits for an answer is sent away; then nobody needs much time to leave.
Task<void> Daemon::stop_control() {
  co_await desk_->closed();
  if (control_) co_await io::run_on_pool(loop_, [this] { control_->stop(kControlGrace); });
}

// Whoever asks twice does not want to wait.
Task<void> Daemon::hurry() {
  for (;;) {
    auto number = co_await signals_.next({kNever, &ended_});
    if (!number) co_return;
    if (*number == SIGHUP) continue;
    if (acceptor_) stopping_.spawn(acceptor_->stop(0s));
    if (relay_) stopping_.spawn(relay_->stop(0s));
    if (pickup_) stopping_.spawn(pickup_->stop(0s));
  }
}

std::string Daemon::status_line() {
  std::string trouble = in_words(spool_->trouble());
  return cat(relay_->status(), trouble.empty() ? "" : "; ", trouble,
             not_reloaded_.empty() ? "" : "; not reloaded, for the file is wrong: ", not_reloaded_);
}

// At its first refusal of new mail at the latest, not once for each.
void Daemon::note_trouble(const std::optional<spool::Trouble>& trouble) {
  std::vector<log::Field> fields = {{"path", settings_.spool.directory}};
  if (trouble) {
    fields.push_back({"free", trouble->space.free_bytes});
    fields.push_back({"free_inodes", trouble->space.free_inodes});
    fields.push_back({"min_free", settings_.spool.min_free.bytes});
    return log_.error(in_words(trouble), fields);
  }
  log_.info("the spool takes new mail again", fields);
  if (relay_) relay_->storage_is_back();
}

std::string Daemon::in_words(const std::optional<spool::Trouble>& trouble) const {
  return trouble ? describe(*trouble, settings_.spool.directory, settings_.spool.min_free) : "";
}

Task<std::string> Daemon::spool_trouble() {
  auto trouble = co_await spool_->trouble_now(loop_.within(kLookAtDisk));
  co_return in_words(trouble);
}

// That we are alive is told by the loop itself, so that one that hangs is noticed.
Task<void> Daemon::tell_manager() {
  auto alive_interval = system::ServiceManager::alive_interval();
  while (system::ServiceManager::is_there()) {
    auto woken = co_await io::sleep_until(
        loop_, loop_.within(std::min(kStatusInterval, alive_interval.value_or(kStatusInterval)), &ended_));
    if (woken == io::Woken::cancelled) co_return;
    if (alive_interval) manager_.alive();
    if (acceptor_ && stopping_.size() == 0) manager_.status(status_line());
  }
}

}  // namespace hikyaku::app
