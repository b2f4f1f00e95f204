// SPDX-License-Identifier: MIT
// The control socket and the port for metrics from the daemon's side. The socket is there before anything else, so
// that whoever asks during a slow start waits for the answer; it is served once the other parts exist, and closed
// before them. In the default runtime directory the socket may be missing: the daemon then does without. The loop's
// thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemon/app/loop_daemon_control.h"
#include "daemon/base/exit.h"
#include "daemon/base/fd.h"
#include "daemon/config/settings.h"
#include "spool/postgresql/database_view.h"

namespace hikyaku::control {
class ControlService;
class MetricsPort;
}  // namespace hikyaku::control

namespace hikyaku::app {

class ControlAccess {
 public:
  // Loop and log outlive this.
  ControlAccess(io::Loop& loop, log::MailLog& log, const config::Settings& settings);
  ~ControlAccess();

  // Binds the socket. If another daemon answers on it, the socket is left alone: opening the spool or the
  // other socket says which daemon that is.
  Task<Result<void, StartError>> open();
  // What `parts` refers to outlives stop(). Also serves metrics, on their port.
  Result<void, StartError> serve(LoopDaemonControlParts parts);
  // Lets another group in.
  void configure(const config::ControlSettings& settings);
  // Sends away whoever waits for an answer, and removes the socket's file.
  Task<void> stop();

 private:
  Result<void, StartError> serve_socket();
  void serve_metrics(const Endpoint& at);

  io::Loop& loop_;
  log::MailLog& log_;
  std::string path_;
  std::string spool_directory_;
  std::optional<postgresql::SharedPlace> fleet_;  // of a shared spool
  bool is_default_directory_;
  std::string group_;
  std::optional<Endpoint> metrics_at_;
  Fd socket_;  // until it is served
  std::optional<LoopDaemonControl> daemon_control_;
  std::unique_ptr<control::ControlService> service_;
  std::unique_ptr<control::MetricsPort> metrics_port_;
};

}  // namespace hikyaku::app
