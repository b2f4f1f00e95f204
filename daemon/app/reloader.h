// SPDX-License-Identifier: MIT
// The settings at work: handed to every part at the start, and again at a reload. A reload reads the files on
// the pool and changes everything or, if a file is wrong, nothing. The loop's thread.
#pragma once

#include <functional>
#include <string>

#include "daemon/app/door_tls.h"
#include "daemon/control/daemon_control.h"
#include "daemon/io/nursery.h"
#include "daemon/io/resolver.h"
#include "daemon/log/mail_log.h"
#include "daemon/system/loading.h"

namespace hikyaku::dns {
class Client;
}
namespace hikyaku::metrics {
class Metrics;
}
namespace hikyaku::mail {
class Fleet;
}
namespace hikyaku::oauth {
class Tokens;
}
namespace hikyaku::relay {
class Relay;
}
namespace hikyaku::smtpd {
class Acceptor;
}
namespace hikyaku::system {
class ServiceManager;
}

namespace hikyaku::app {

class AliasSink;
class ControlAccess;
class SendmailServices;
class SetupWarnings;

// All outlive the reloader.
struct ReloaderParts {
  io::Loop& loop;
  log::MailLog& log;
  io::Nursery& background;  // has the checks of the set-up
  io::Resolver& resolver;
  dns::Client& dns;
  system::ServiceManager& manager;
  std::function<std::string()> status;  // of the daemon, in a line for the service manager
  std::string token;                    // this instance's, as in our greeting

  AliasSink& sink;
  oauth::Tokens& tokens;
  relay::Relay& relay;
  mail::Fleet* fleet;  // null: the spool is not shared
  smtpd::Acceptor& acceptor;
  SendmailServices& sendmail;
  ControlAccess& control;
  metrics::Metrics& metrics;
  SetupWarnings& warnings;
};

class Reloader {
 public:
  Reloader(ReloaderParts parts, std::string config_file);

  // The first settings, once. The problems are the relay's, or a certificate's.
  Task<Result<void, config::Problems>> start(system::Loaded first);
  // One reload at a time: the others wait for their turn.
  Task<control::ReloadReport> reload();
  // For newaliases: how many aliases there are now, or what is wrong and has therefore changed nothing.
  Task<Result<std::size_t, std::string>> reload_aliases();
  // The entries for log-ins as the file has them now.
  Task<Result<config::Authinfo, config::Problems>> load_credentials();
  // A reload that is under way, or comes later, changes nothing any more.
  void stop() { stopping_.request(); }

  const config::Settings& settings() const { return settings_; }
  // Why the newest reload has changed nothing; empty: it has.
  const std::string& trouble() const { return trouble_; }

 private:
  Task<void> begin();
  void end();
  Task<control::ReloadReport> reload_now();
  Task<Result<std::size_t, std::string>> reload_aliases_now();
  Task<control::ReloadReport> apply(system::Loaded fresh);
  control::ReloadReport refuse(const config::Problems& problems);
  void configure_tokens();
  void configure_dns(const config::Settings& settings);
  Task<void> configure_parts();
  void use_first_aliases(config::LoadedAliases first);
  bool replace_aliases(config::LoadedAliases fresh);
  Task<void> look_up_credentials(config::Settings& settings, const config::Authinfo& entries);
  void check_setup();

  ReloaderParts parts_;
  std::string config_file_;
  config::Settings settings_;
  dkim::KeyRingPtr keys_;  // that sign
  DoorTls door_tls_;
  std::string trouble_;
  bool is_reloading_ = false;
  io::Event ended_;      // one reload
  io::Cancel stopping_;  // of what a reload waits for
};

}  // namespace hikyaku::app
