// SPDX-License-Identifier: MIT
#include "daemon/app/control_access.h"

#include <unistd.h>

#include <utility>

#include "daemon/app/listening.h"
#include "daemon/app/settings_mapping.h"
#include "daemon/base/text.h"
#include "daemon/control/control_service.h"
#include "daemon/control/metrics_port.h"
#include "daemon/io/work.h"
#include "daemon/system/directories.h"

namespace hikyaku::app {
namespace {

constexpr std::chrono::milliseconds kStopTimeout = 1s;

// Null: the mail is in the directory.
listing::QueueReader::OpenView view_opener(const std::optional<postgresql::SharedPlace>& fleet) {
  if (!fleet) return nullptr;
  return [fleet = *fleet]() -> Result<std::shared_ptr<spool::QueueView>, StartError> {
    auto view = postgresql::DatabaseView::open(fleet);
    if (!view) return std::unexpected(view.error());
    return std::shared_ptr<spool::QueueView>(std::move(*view));
  };
}

}  // namespace

ControlAccess::ControlAccess(io::Loop& loop, log::MailLog& log, const config::Settings& settings)
    : loop_(loop),
      log_(log),
      path_(system::control_socket_in(settings.runtime_directory)),
      spool_directory_(settings.spool.directory),
      fleet_(fleet_of(settings)),
      is_default_directory_(settings.runtime_directory == config::Settings().runtime_directory),
      group_(settings.control.group),
      metrics_at_(settings.metrics) {}

ControlAccess::~ControlAccess() = default;

Task<Result<void, StartError>> ControlAccess::open() {
  const bool is_served = co_await is_unix_socket_served(loop_, path_);
  if (is_served) co_return {};
  auto socket = control::open_control_socket(path_, {system::kDropGroup, group_});
  if (!socket && !is_default_directory_) co_return std::unexpected(socket.error());
  if (!socket) log_.warning(cat(socket.error().text, "; mailq and `hikyaku` cannot ask the daemon"));
  if (!socket) co_return {};
  for (const std::string& note : socket->notes) log_.info(note);
  socket_ = std::move(socket->listening);
  co_return {};
}

Result<void, StartError> ControlAccess::serve(LoopDaemonControlParts parts) {
  if (fleet_) parts.node = fleet_->node;
  daemon_control_.emplace(std::move(parts));
  if (metrics_at_) serve_metrics(*metrics_at_);
  return serve_socket();
}

// Mail matters more than numbers: where the port is taken, the daemon does without.
void ControlAccess::serve_metrics(const Endpoint& at) {
  auto listening = control::open_metrics_port(at);
  if (!listening) return log_.error(cat(listening.error(), "; nobody can ask for metrics there"));
  log_.info(cat("metrics are told on ", control::bound_to(*listening).to_text()));
  metrics_port_ = std::make_unique<control::MetricsPort>(std::move(*listening), *daemon_control_);
  if (!metrics_port_->runs()) log_.error("`metrics`: the system has no thread left to serve them");
}

Result<void, StartError> ControlAccess::serve_socket() {
  if (!socket_) return {};
  control::ControlOptions options{
      .path = path_, .spool_directory = spool_directory_, .open_view = view_opener(fleet_), .group = group_};
  service_ = std::make_unique<control::ControlService>(std::move(options), std::move(socket_),
                                                       *daemon_control_, loop_.clock());
  if (!service_->runs())
    return fail(Exit::internal, cat(path_, ": the system has no thread left to serve this socket"));
  return {};
}

void ControlAccess::configure(const config::ControlSettings& settings) {
  group_ = settings.group;
  if (!service_) return;
  service_->configure(group_);
  control::share_control_socket(path_, {system::kDropGroup, group_});
}

// Those who wait are sent away first; then no thread needs much time to end.
Task<void> ControlAccess::stop() {
  if (socket_) ::unlink(path_.c_str());
  if (daemon_control_) co_await daemon_control_->close();
  if (service_) co_await io::run_on_pool(loop_, [this] { service_->stop(kStopTimeout); });
  if (metrics_port_) co_await io::run_on_pool(loop_, [this] { metrics_port_->stop(kStopTimeout); });
}

}  // namespace hikyaku::app
