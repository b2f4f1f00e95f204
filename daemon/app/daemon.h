// SPDX-License-Identifier: MIT
// The process around the services: the spool opened, signals obeyed, the service manager kept informed,
// everything stopped in order. What needs root has been done before (hikyakud.h). The loop's thread.
#pragma once

#include <memory>
#include <string>

#include "daemon/app/listening.h"
#include "daemon/base/exit.h"
#include "daemon/io/nursery.h"
#include "daemon/io/signals.h"
#include "daemon/log/mail_log.h"
#include "daemon/system/loading.h"
#include "daemon/system/service_manager.h"

namespace hikyaku::app {

class ControlAccess;
class Services;
class Storage;

class Daemon {
 public:
  // Loop and log outlive the daemon. `config_file` is read again at SIGHUP.
  Daemon(io::Loop& loop, log::MailLog& log, std::string config_file, system::Loaded loaded,
         Listening listening);
  ~Daemon();

  // From opening the spool until a signal has stopped everything. Once.
  Task<Exit> run();

 private:
  Task<Result<void, StartError>> start();
  Task<void> serve();
  Task<void> stop();
  Task<void> hurry();
  Task<void> inform_manager();

  io::Loop& loop_;
  log::MailLog& log_;
  std::string config_file_;
  system::Loaded loaded_;  // until the services have it
  Listening listening_;    // the listeners until the services have them
  system::ServiceManager manager_;
  io::Signals signals_;
  bool is_serving_ = false;
  io::Cancel ended_;  // of the tasks in background_
  io::Nursery background_;
  io::Nursery stopping_;  // the parts, each on its way out
  std::unique_ptr<Storage> storage_;
  std::unique_ptr<ControlAccess> control_;
  std::unique_ptr<Services> services_;
};

}  // namespace hikyaku::app
