// SPDX-License-Identifier: MIT
// The control socket and everything behind it except the daemon itself (daemon_control.h). Constructed and
// destroyed on the loop's thread; requests are served on threads of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/base/exit.h"
#include "daemon/base/fd.h"
#include "daemon/base/mutex.h"
#include "daemon/control/control_routes.h"
#include "daemon/control/control_server.h"
#include "daemon/control/daemon_control.h"
#include "daemon/listing/queue_reader.h"

namespace hikyaku::control {

struct ControlOptions {
  std::string path;  // of the socket, for the removal of its file
  std::string spool_directory;
  listing::QueueReader::OpenView open_view{};  // of a shared spool; null: the mail is in the directory
  std::string group;                           // whose members may do everything
  ControlLimits limits = {};
  ControlTimes times = {};
};

class ControlService {
 public:
  // Daemon and clock outlive the service. Serves at once.
  ControlService(ControlOptions options, Fd listening, DaemonControl& daemon, Clock& clock);
  ~ControlService();

  bool runs() const { return server_.runs(); }
  void configure(std::string group);
  // As ControlServer::stop(); also removes the socket's file.
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

// The names of the groups that may connect to the socket, besides root and the daemon's own user. A group
// that the machine does not have is left out.
struct ControlGroups {
  std::string sendmail;
  std::string operators;  // control.group
};

struct SharedSocket {
  Fd listening;
  std::vector<std::string> notes;  // for the operator
};
// Replaces the file that an earlier daemon has left. Errors: cannot_create. Blocks.
Result<SharedSocket, StartError> open_control_socket(const std::string& path, const ControlGroups& groups);

// Lets these groups in, and no other. Returns notes for the operator. Blocks.
std::vector<std::string> share_control_socket(const std::string& path, const ControlGroups& groups);

}  // namespace hikyaku::control
