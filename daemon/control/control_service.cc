// SPDX-License-Identifier: MIT
#include "daemon/control/control_service.h"

#include <unistd.h>

#include <utility>

#include "daemon/control/control_request.h"
#include "daemon/system/local_users.h"

namespace hikyaku::control {

ControlService::ControlService(ControlOptions options, Fd listening, DaemonControl& daemon, Clock& clock)
    : path_(options.path),
      group_(options.group),
      reader_(options.spool_directory, clock),
      routes_(daemon, reader_, clock),
      server_(std::move(listening), serving(options)) {}

ControlService::~ControlService() = default;

ControlServing ControlService::serving(const ControlOptions& options) {
  ControlServing serving;
  serving.rights = [this](const Caller& caller) { return rights_of_caller(caller); };
  serving.serve = [this](ControlConnection& connection, const Rights& rights) {
    serve_http(connection, rights, [this](const ControlRequest& request) { return routes_.answer(request); });
  };
  serving.at_times = [this] { reader_.rest(); };
  serving.limits = options.limits;
  serving.times = options.times;
  return serving;
}

// Looked up each time: a group may be made, or get members, while we run.
Rights ControlService::rights_of_caller(const Caller& caller) {
  std::string group;
  {
    Lock lock(mutex_);
    group = group_;
  }
  return rights_of(caller, ::geteuid(), system::find_group(group));
}

void ControlService::set_group(std::string group) {
  Lock lock(mutex_);
  group_ = std::move(group);
}

void ControlService::stop(std::chrono::milliseconds grace) {
  ::unlink(path_.c_str());
  server_.stop(grace);
}

}  // namespace hikyaku::control
