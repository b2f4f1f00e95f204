// SPDX-License-Identifier: MIT
#include "daemon/app/daemon.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>

#include "daemon/app/control_access.h"
#include "daemon/app/services.h"
#include "daemon/app/storage.h"
#include "daemon/base/text.h"

namespace hikyaku::app {
namespace {

// The status line is looked at now and then rather than sent at each change: under load it changes a thousand
// times a second.
constexpr Duration kStatusInterval = 2s;

}  // namespace

Daemon::Daemon(io::Loop& loop, log::MailLog& log, std::string config_file, system::Loaded loaded,
               Listening listening)
    : loop_(loop),
      log_(log),
      config_file_(std::move(config_file)),
      loaded_(std::move(loaded)),
      listening_(std::move(listening)),
      signals_(loop, {SIGTERM, SIGINT, SIGHUP}),
      background_(loop),
      stopping_(loop),
      control_(std::make_unique<ControlAccess>(loop, log, loaded_.settings)) {
  for (const std::string& note : listening_.notes) log_.info(note);
  for (const std::string& warning : listening_.warnings) log_.warning(warning);
}

Daemon::~Daemon() = default;

Task<Exit> Daemon::run() {
  background_.spawn(inform_manager());
  auto started = co_await start();
  if (started)
    co_await serve();
  else
    log_.error(started.error().text);
  co_await stop();
  if (!started) co_return started.error().kind;
  log_.stopped(services_->queued());
  co_return Exit::ok;
}

Task<Result<void, StartError>> Daemon::start() {
  auto reachable = co_await control_->open();
  if (!reachable) co_return reachable;
  auto storage = co_await Storage::open(loop_, log_, loaded_.settings);
  if (!storage) co_return std::unexpected(storage.error());
  storage_ = std::move(*storage);
  services_ = std::make_unique<Services>(
      ServicesParts{
          .loop = loop_, .log = log_, .manager = manager_, .storage = *storage_, .control = *control_},
      config_file_, loaded_, std::move(listening_.listeners));
  auto started = co_await services_->start(std::move(loaded_));
  co_return started;
}

Task<void> Daemon::serve() {
  is_serving_ = true;
  manager_.ready(services_->status());
  for (;;) {
    auto number = co_await signals_.next({});
    check(number.has_value(), "a wait without end has ended");
    if (*number != SIGHUP) co_return log_.stopping(cat("SIG", ::sigabbrev_np(*number)));
    co_await services_->reload();
  }
}

// Also after a start that failed.
Task<void> Daemon::stop() {
  is_serving_ = false;
  manager_.stopping();
  background_.spawn(hurry());
  stopping_.spawn(control_->stop());
  if (services_) stopping_.spawn(services_->stop(services_->shutdown_grace()));
  co_await stopping_.drained({});
  ended_.request();
  co_await background_.drained({});
  if (storage_) co_await storage_->spool().close();
}

// Whoever asks twice does not want to wait.
Task<void> Daemon::hurry() {
  for (;;) {
    auto number = co_await signals_.next({kNever, &ended_});
    if (!number) co_return;
    if (*number != SIGHUP && services_) stopping_.spawn(services_->stop(0s));
  }
}

// The loop itself reports that the daemon is alive, so that a loop that hangs is noticed.
Task<void> Daemon::inform_manager() {
  auto alive_interval = system::ServiceManager::alive_interval();
  while (system::ServiceManager::is_there()) {
    auto woken = co_await io::sleep_until(
        loop_, loop_.within(std::min(kStatusInterval, alive_interval.value_or(kStatusInterval)), &ended_));
    if (woken == io::Woken::cancelled) co_return;
    if (alive_interval) manager_.alive();
    if (is_serving_) manager_.status(services_->status());
  }
}

}  // namespace hikyaku::app
