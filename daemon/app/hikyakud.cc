// SPDX-License-Identifier: MIT
#include "daemon/app/hikyakud.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <utility>

#include "daemon/app/daemon.h"
#include "daemon/app/loading.h"
#include "daemon/app/settings_mapping.h"
#include "daemon/app/turn_away.h"
#include "daemon/base/clock.h"
#include "daemon/base/text.h"
#include "daemon/system/directories.h"
#include "daemon/system/service_manager.h"

namespace hikyaku::app {
namespace {

// So long a daemon that cannot run keeps clients from having it started again.
constexpr std::chrono::milliseconds kTurnAway = 1s;
constexpr int kLooks = 5;  // meanwhile

void print_problems(const config::Problems& problems) {
  for (const config::Problem& problem : problems)
    std::fputs(cat(log::error_prefix(), config::to_text(problem), "\n").c_str(), stderr);
  if (!problems.empty()) system::ServiceManager().status(config::to_text(problems.front()));
}

// Where it is the default, a missing runtime directory is the daemon's to complain about.
Result<void, StartError> prepare_directories(log::MailLog& log, const Loaded& loaded) {
  const config::Settings& settings = loaded.settings;
  auto runtime = system::prepare_runtime_directory(settings.runtime_directory, loaded.account);
  if (!runtime && settings.runtime_directory != config::Settings().runtime_directory) return runtime;
  auto spool = system::prepare_spool_directory(settings.spool.directory, loaded.account);
  if (!spool) return spool;
  if (auto note = system::prepare_drop_directory(settings.spool.directory, loaded.account))
    log.warning(*note);
  return {};
}

Result<Listening, StartError> use_root_while_it_lasts(io::Loop& loop, log::MailLog& log, const Loaded& loaded,
                                                      std::vector<Fd> inherited) {
  auto listening = open_listeners(loop, loaded.settings.listen, std::move(inherited));
  if (!listening) return listening;
  auto prepared = prepare_directories(log, loaded);
  if (!prepared) return std::unexpected(prepared.error());
  if (!loaded.account) return listening;
  auto dropped = system::become(*loaded.account);
  if (!dropped) return std::unexpected(dropped.error());
  system::close_to_others();
  return listening;
}

// Whoever asks us to stop while we are stopping for good must not break off the last steps.
void be_deaf() {
  for (int number : {SIGTERM, SIGINT, SIGHUP}) std::signal(number, SIG_IGN);
}

Exit serve(io::Loop& loop, log::MailLog& log, const std::string& config_file, Loaded loaded,
           std::vector<Fd> inherited) {
  auto listening = use_root_while_it_lasts(loop, log, loaded, std::move(inherited));
  if (!listening) {
    log.error(listening.error().text);
    return listening.error().kind;
  }
  Exit exit = Exit::internal;
  {
    Daemon daemon(loop, log, config_file, std::move(loaded), std::move(*listening));
    exit = loop.run(daemon.run());
  }
  be_deaf();
  return exit;
}

// What is corrected in that time counts: `systemctl start` joins a start that a client has caused.
Result<Loaded, config::Problems> load_patiently(const std::string& config_file,
                                                const std::vector<Fd>& sockets) {
  auto loaded = load_everything(config_file, Purpose::run);
  if (!loaded) print_problems(loaded.error());
  for (int looks = 0; !loaded && !sockets.empty() && looks < kLooks; ++looks) {
    turn_away(sockets, kTurnAway / kLooks);
    loaded = load_everything(config_file, Purpose::run);
  }
  return loaded;
}

Exit load_and_serve(const std::string& config_file, std::vector<Fd> inherited) {
  const std::vector<Fd> sockets = duplicates(inherited);
  auto loaded = load_patiently(config_file, sockets);
  if (!loaded) return Exit::configuration;
  SystemClock clock;
  log::MailLog log(clock, log_options(loaded->settings));
  io::Loop loop(clock);
  Exit exit = serve(loop, log, config_file, std::move(*loaded), std::move(inherited));
  if (exit == Exit::configuration) turn_away(sockets, kTurnAway);
  return exit;
}

}  // namespace

Exit run_hikyakud(const std::string& config_file) {
  system::close_to_others();
  Exit exit = load_and_serve(config_file, system::inherited_sockets());
  if (io::SystemResolver::outstanding() == 0) return exit;
  std::fflush(nullptr);
  ::_exit(static_cast<int>(exit));
}

}  // namespace hikyaku::app
