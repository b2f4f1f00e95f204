// SPDX-License-Identifier: MIT
// The control socket with all that stands behind it but the daemon itself (daemon_control.h). Made and
// destroyed on the loop's thread, served on threads of its own.
#pragma once

#include <memory>
#include <string>

#include "daemon/base/mutex.h"
#include "daemon/control/control_routes.h"
#include "daemon/control/control_server.h"
#include "daemon/control/daemon_control.h"
#include "daemon/listing/queue_reader.h"

namespace hikyaku::control {

struct ControlOptions {
  std::string path;  // of the socket, for the file's end
  std::string spool_directory;
  std::string group;  // whose members may do everything
  ControlLimits limits = {};
  ControlTimes times = {};
};

class ControlService {
 public:
  // Daemon and clock outlive it. Begins at once.
  ControlService(ControlOptions options, Fd listening, DaemonControl& daemon, Clock& clock);
  ~ControlService();

  bool runs() const { return server_.runs(); }
  void set_group(std::string group);
  // As ControlServer::stop(); the socket's file is gone then.
  void stop(std::chrono::milliseconds grace);

 private:
  Rights rights_of_caller(const Caller& caller);
  ControlServing serving(const ControlOptions& options);

  std::string path_;
  Mutex mutex_;
  std::string group_ GUARDED_BY(mutex_);
  listing::QueueReader reader_;
  ControlRoutes routes_;
  ControlServer server_;  // the last: it uses all the others at once
};

}  // namespace hikyaku::control
