// SPDX-License-Identifier: MIT
// How the parts of the daemon come up. The control socket is there first: whoever asks while the rest takes
// its time waits for the answer. Nothing is accepted before the spool can keep it and the relay hears of it.
#include <utility>

#include "daemon/app/daemon.h"
#include "daemon/app/reload.h"
#include "daemon/base/text.h"
#include "daemon/control/control_socket.h"
#include "daemon/io/socket_stream.h"
#include "daemon/system/directories.h"
#include "daemon/system/drop_setup.h"

namespace hikyaku::app {
namespace {

constexpr unsigned kAnyone = 0666;  // the kernel tells who called
constexpr Duration kProbeLimit = 1s;

Exit exit_for(spool::SpoolErrorKind kind) {
  switch (kind) {
    case spool::SpoolErrorKind::locked: return Exit::unavailable;
    case spool::SpoolErrorKind::cannot_create: return Exit::cannot_create;
    default: return Exit::io;
  }
}

Task<bool> is_served(io::Loop& loop, std::string path) {
  auto answer = co_await io::connect_unix(loop, std::move(path), loop.within(kProbeLimit));
  co_return answer.has_value();
}

}  // namespace

Task<Result<void, StartError>> Daemon::start() {
  auto reachable = co_await open_control();
  if (!reachable) co_return reachable;
  auto opened = co_await open_spool();
  if (!opened) co_return opened;
  co_await open_drop_directory();
  co_await tell_sendmail();
  co_await look_up_credentials(settings_, first_credentials_);
  first_credentials_.clear();
  start_aliases();
  auto started = start_relay();
  if (!started) co_return started;
  auto listening = co_await open_submit_socket();
  if (!listening) co_return listening;
  auto control = serve_control();
  if (!control) co_return control;
  start_accepting();
  co_return {};
}

Task<Result<void, StartError>> Daemon::open_spool() {
  const std::string& directory = settings_.spool.directory;
  auto disk = spool::open_disk(directory);
  if (!disk) co_return fail(Exit::cannot_create, cat("spool ", directory, ": ", disk.error().text));
  disk_ = std::move(*disk);
  auto spool = co_await spool::Spool::open(loop_, *disk_, spool_options(settings_));
  if (!spool)
    co_return fail(exit_for(spool.error().kind), cat("spool ", directory, ": ", spool.error().text));
  spool_ = std::move(*spool);
  for (const spool::DamageReport& report : spool_->reports()) log_.warning(to_line(report));
  spool_->set_on_damage([this](const spool::DamageReport& report) { log_.warning(to_line(report)); });
  spool_->set_on_trouble([this](const std::optional<spool::Trouble>& trouble) { note_trouble(trouble); });
  co_return {};
}

Result<void, StartError> Daemon::start_relay() {
  for (const auto& listener : listeners_) {
    auto bound = listener->local();
    if (!bound) continue;
    own_endpoints_.add(*bound);
  }
  relay_.emplace(relay::RelayParts{.loop = loop_,
                                   .sink = *sink_,
                                   .source = *spool_,
                                   .connector = connector_,
                                   .log = log_,
                                   .token = token_,
                                   .proven_file = cat(settings_.spool.directory, "/proven"),
                                   .rates_file = cat(settings_.spool.directory, "/rates")},
                 spool_->downtime());
  spool_->set_on_arrival([this](const mail::QueueEntry& entry) { relay_->arrived(entry); });
  auto configured = relay_->configure(settings_);
  if (!configured) return fail(Exit::configuration, join(config::to_lines(configured.error()), "; "));
  return {};
}

// Without it local programs still have the ports, so where nobody asked for the directory it may be missing.
Task<Result<void, StartError>> Daemon::open_submit_socket() {
  bool is_default = settings_.runtime_directory == config::Settings().runtime_directory;
  std::string path = system::submit_socket_in(settings_.runtime_directory);
  bool served = co_await is_served(loop_, path);
  if (served) co_return fail(Exit::unavailable, cat(path, ": another hikyakud listens there"));
  auto listener = io::Listener::listen_unix(loop_, path, kAnyone);
  if (listener) {
    listeners_.push_back(std::move(*listener));
    co_return {};
  }
  if (!is_default) co_return fail(Exit::cannot_create, listener.error().text);
  log_.warning(
      cat(listener.error().text, "; local programs can use the ports only (see `runtime_directory`)"));
  co_return {};
}

// In the same directory, and as dispensable as the other. One that is served stays: then there is another
// daemon, and opening the spool or the other socket says which.
Task<Result<void, StartError>> Daemon::open_control() {
  bool is_default = settings_.runtime_directory == config::Settings().runtime_directory;
  std::string path = system::control_socket_in(settings_.runtime_directory);
  bool served = co_await is_served(loop_, path);
  if (served) co_return {};
  auto socket = control::open_control_socket(path, {system::kDropGroup, settings_.control.group});
  if (!socket && !is_default) co_return std::unexpected(socket.error());
  if (!socket) log_.warning(cat(socket.error().text, "; mailq and `hikyaku` cannot ask the daemon"));
  if (!socket) co_return {};
  for (const std::string& note : socket->notes) log_.info(note);
  control_socket_ = std::move(socket->listening);
  co_return {};
}

Result<void, StartError> Daemon::serve_control() {
  if (!control_socket_) return {};
  std::string path = system::control_socket_in(settings_.runtime_directory);
  desk_.emplace(DeskParts{.loop = loop_,
                          .relay = *relay_,
                          .source = *spool_,
                          .log = log_,
                          .spool_trouble = [this] { return spool_trouble(); },
                          .warnings = [this] { return warnings_; },
                          .reload = [this] { return reload(); },
                          .reload_aliases = [this] { return reload_aliases(); }});
  control::ControlOptions options{
      .path = path, .spool_directory = settings_.spool.directory, .group = settings_.control.group};
  control_ = std::make_unique<control::ControlService>(std::move(options), std::move(control_socket_), *desk_,
                                                       loop_.clock());
  if (!control_->runs()) return fail(Exit::internal, cat(path, ": there is no thread left to serve it"));
  return {};
}

void Daemon::start_accepting() {
  std::vector<std::string> names;
  take_over_submit();
  acceptor_.emplace(loop_, *sink_, observer_, acceptor_options(settings_, token_, &submitters_));
  for (auto& listener : listeners_) {
    names.push_back(listener->name());
    acceptor_->listen(std::move(listener));
  }
  listeners_.clear();
  log_.started(HIKYAKU_VERSION, names, relay_->queued());
  background_.spawn(judge_setup());
  start_pickup();
  manager_.ready(status_line());
}

}  // namespace hikyaku::app
