// SPDX-License-Identifier: MIT
// GET /metrics and GET /healthz: how the daemon stands, for programs that watch it. On the control socket, and on a
// port of their own that serves nothing else: whoever gets there may ask, so the answers hold no address, no id of a
// mail and no file's name, and no request changes anything.
#pragma once

#include <string>

#include "daemon/base/fd.h"
#include "daemon/base/ip.h"
#include "daemon/control/control_request.h"
#include "daemon/control/control_server.h"
#include "daemon/control/daemon_control.h"

namespace hikyaku::control {

inline constexpr std::string_view kMetrics = "/metrics";
inline constexpr std::string_view kHealth = "/healthz";

ControlAnswer answer_metrics(DaemonControl& daemon);
// 200 while the daemon answers and can take mail, else 503; with the parameter `live`, 200 as long as it answers. A
// smarthost that is down is no reason: mail is kept, and another daemon would not reach it either.
ControlAnswer answer_health(const ControlRequest& request, DaemonControl& daemon);
// On the port: these two, and nothing else.
ControlAnswer answer_on_port(const ControlRequest& request, DaemonControl& daemon);

// Errors are sentences. Blocks, but not for long.
Result<Fd, std::string> open_metrics_port(const Endpoint& at);
Endpoint bound_to(const Fd& listening);

class MetricsPort {
 public:
  // The daemon outlives the port. Serves at once.
  MetricsPort(Fd listening, DaemonControl& daemon, ControlTimes times = {});

  bool runs() const { return server_.runs(); }
  // As ControlServer::stop().
  void stop(std::chrono::milliseconds grace) { server_.stop(grace); }

 private:
  ControlServer server_;
};

}  // namespace hikyaku::control
