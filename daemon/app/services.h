// SPDX-License-Identifier: MIT
// All that a daemon with an open spool consists of, from the ports to the smarthosts, and how the parts are
// wired together. Nothing is accepted before the spool can keep it and the relay hears of it. The loop's
// thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/app/alias_sink.h"
#include "daemon/app/drain.h"
#include "daemon/app/listening.h"
#include "daemon/app/log_observer.h"
#include "daemon/app/reloader.h"
#include "daemon/app/sendmail_services.h"
#include "daemon/app/setup_warnings.h"
#include "daemon/dns/client.h"
#include "daemon/io/nursery.h"
#include "daemon/io/resolver.h"
#include "daemon/metrics/metrics.h"
#include "daemon/oauth/tokens.h"
#include "daemon/relay/relay.h"
#include "smtpc/connector.h"
#include "smtpd/acceptor.h"

namespace hikyaku::app {

class ControlAccess;
class Storage;

// All outlive the services.
struct ServicesParts {
  io::Loop& loop;
  log::MailLog& log;
  system::ServiceManager& manager;
  Storage& storage;
  ControlAccess& control;
};

class Services {
 public:
  Services(ServicesParts parts, const std::string& config_file, const system::Loaded& loaded,
           std::vector<std::unique_ptr<io::Listener>> listeners);
  // stop() has returned.
  ~Services();

  Task<Result<void, StartError>> start(system::Loaded loaded);
  Task<control::ReloadReport> reload() { return reloader_.reload(); }
  // Clients and smarthosts get the same grace, at the same time. May be called again with less.
  Task<void> stop(Duration grace);
  Duration shutdown_grace() const { return reloader_.settings().shutdown_grace; }

  // For the service manager, in one line.
  std::string status() const;
  std::size_t queued() const { return relay_.queued(); }

 private:
  std::function<bool(const Endpoint&)> is_ours();
  Result<void, StartError> serve_control();
  metrics::Counts counts() const;
  void accept();

  ServicesParts parts_;
  std::vector<std::unique_ptr<io::Listener>> listeners_;  // until the acceptor has them
  std::string token_;
  OwnEndpoints own_endpoints_;
  metrics::Metrics metrics_;
  LogObserver observer_;
  io::SystemResolver resolver_;
  dns::Client dns_;
  smtpc::SystemConnector connector_;
  io::Nursery background_;
  LocalUsers local_users_;
  AliasSink sink_;  // in front of the spool, for all mail
  oauth::HttpsEndpoint token_endpoint_;
  oauth::Tokens tokens_;
  relay::Relay relay_;
  SendmailServices sendmail_;
  smtpd::Acceptor acceptor_;
  SetupWarnings warnings_;
  Reloader reloader_;
  Drain drain_;
};

}  // namespace hikyaku::app
