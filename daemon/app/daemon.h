// SPDX-License-Identifier: MIT
// The process around the relay: sockets in, spool open, signals obeyed, everything stopped in order. Owns
// all of it. What needs root has been done before (hikyakud.h). The loop's thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemon/app/alias_sink.h"
#include "daemon/app/daemon_desk.h"
#include "daemon/app/listening.h"
#include "daemon/app/loading.h"
#include "daemon/app/local_submitters.h"
#include "daemon/app/log_observer.h"
#include "daemon/base/exit.h"
#include "daemon/config/settings.h"
#include "daemon/control/control_service.h"
#include "daemon/io/nursery.h"
#include "daemon/io/resolver.h"
#include "daemon/io/signals.h"
#include "daemon/log/mail_log.h"
#include "daemon/pickup/pickup.h"
#include "daemon/relay/relay.h"
#include "daemon/system/sd_notify.h"
#include "smtpc/connector.h"
#include "smtpd/acceptor.h"
#include "spool/spool.h"

namespace hikyaku::app {

class Daemon {
 public:
  // Loop and log outlive it. `config_file` is read again at SIGHUP.
  Daemon(io::Loop& loop, log::MailLog& log, std::string config_file, Loaded loaded, Listening listening);

  // From opening the spool until a signal has stopped everything. Once.
  Task<Exit> run();

 private:
  Task<Result<void, StartError>> start();
  Task<Result<void, StartError>> open_spool();
  Result<void, StartError> start_relay();
  Task<Result<void, StartError>> open_submit_socket();
  Task<void> open_drop_directory();
  Task<Result<void, StartError>> open_control();
  Result<void, StartError> serve_control();
  void start_accepting();
  void start_pickup();
  pickup::PickupOptions pickup_options();

  Task<void> serve();
  Task<control::ReloadReport> reload();
  Task<control::ReloadReport> reload_now();
  void take_over(Loaded fresh, const std::vector<std::string>& kept);
  void take_over_control();
  void start_aliases();
  void take_aliases(config::LoadedAliases fresh);
  Task<Result<std::size_t, std::string>> reload_aliases();
  Task<void> look_up_credentials(config::Settings& settings, const config::Authinfo& entries);
  Task<void> judge_setup();
  void take_over_submit();
  Task<void> tell_sendmail();

  Task<void> stop();
  Task<void> stop_control();
  Task<void> hurry();
  Task<void> tell_manager();
  std::string status_line();  // for the service manager
  void note_trouble(const std::optional<spool::Trouble>& trouble);
  std::string in_words(const std::optional<spool::Trouble>& trouble) const;
  Task<std::string> spool_trouble();

  io::Loop& loop_;
  log::MailLog& log_;
  std::string config_file_;
  config::Settings settings_;
  config::Authinfo first_credentials_;                    // until the start is over
  config::LoadedAliases first_aliases_;                   // likewise
  std::vector<std::unique_ptr<io::Listener>> listeners_;  // until the acceptor has them
  bool was_root_;                                         // when it read them
  std::vector<std::string> warnings_;                     // of the set-up as it is now
  std::string token_;
  OwnEndpoints own_endpoints_;
  LogObserver observer_;
  io::SystemResolver resolver_;
  smtpc::SystemConnector connector_;
  system::ServiceManager manager_;
  io::Signals signals_;
  std::unique_ptr<spool::Disk> disk_;
  std::unique_ptr<spool::Spool> spool_;
  std::optional<AliasSink> sink_;  // in front of the spool, for all mail
  std::optional<relay::Relay> relay_;
  Fd control_socket_;  // until it is served
  std::optional<DaemonDesk> desk_;
  std::unique_ptr<control::ControlService> control_;
  bool is_reloading_ = false;
  std::string not_reloaded_;  // what was wrong at the newest reload
  bool is_stopping_ = false;
  io::Event reloaded_;
  io::Cancel leaving_;  // of what a reload waits for
  io::Cancel ended_;    // of the tasks in background_
  io::Nursery background_;
  LocalSubmitters submitters_;
  std::optional<smtpd::Acceptor> acceptor_;
  std::optional<Endpoint> listening_;          // one of the addresses, for sendmail(1)
  std::optional<pickup::DropDirectory> drop_;  // until the pickup has it
  std::optional<pickup::Pickup> pickup_;
  io::Nursery stopping_;  // the parts, each on its way out
};

}  // namespace hikyaku::app
