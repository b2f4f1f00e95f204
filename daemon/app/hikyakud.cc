// SPDX-License-Identifier: MIT
#include "daemon/app/hikyakud.h"

#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <string_view>
#include <utility>

#include "daemon/app/daemon.h"
#include "daemon/app/settings_mapping.h"
#include "daemon/base/clock.h"
#include "daemon/base/text.h"
#include "daemon/io/resolver.h"
#include "daemon/system/directories.h"
#include "daemon/system/loading.h"
#include "daemon/system/service_manager.h"

namespace hikyaku::app {
namespace {

// How long a daemon that cannot run keeps clients from starting it again through its socket.
constexpr std::chrono::milliseconds kTurnAway = 1s;
constexpr int kTries = 5;  // to load the files meanwhile

void print_problems(const config::Problems& problems) {
  for (const config::Problem& problem : problems)
    std::fputs(cat(log::error_prefix(), config::to_text(problem), "\n").c_str(), stderr);
  if (!problems.empty()) system::ServiceManager().status(config::to_text(problems.front()));
}

// If the runtime directory is the default one, a missing one is reported by the daemon later.
Result<void, StartError> prepare_directories(log::MailLog& log, const system::Loaded& loaded) {
  const config::Settings& settings = loaded.settings;
  auto runtime = system::prepare_runtime_directory(settings.runtime_directory, loaded.account);
  if (!runtime && settings.runtime_directory != config::Settings().runtime_directory) return runtime;
  auto spool = system::prepare_spool_directory(settings.spool.directory, loaded.account);
  if (!spool) return spool;
  const bool has_oauth =
      std::ranges::any_of(settings.smarthosts, [](const auto& each) { return each.oauth.has_value(); });
  if (auto oauth = has_oauth ? system::prepare_oauth_directory(settings.oauth_directory, loaded.account)
                             : Result<void, StartError>{};
      !oauth)
    log.error(oauth.error().text);  // mail of other smarthosts flows; that of this one waits, and says why
  auto note = system::prepare_drop_directory(settings.spool.directory, loaded.account);
  if (note && !system::reader_for(loaded.account).is_alone) log.warning(*note);  // else nobody calls sendmail
  return {};
}

Result<Listening, StartError> use_root_while_it_lasts(io::Loop& loop, log::MailLog& log,
                                                      const system::Loaded& loaded,
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

// A signal must not interrupt the last steps of a stop.
void ignore_signals() {
  for (int number : {SIGTERM, SIGINT, SIGHUP}) std::signal(number, SIG_IGN);
}

Exit serve(io::Loop& loop, log::MailLog& log, const std::string& config_file, system::Loaded loaded,
           std::vector<Fd> inherited) {
  auto listening = use_root_while_it_lasts(loop, log, loaded, std::move(inherited));
  if (!listening) {
    log.error(listening.error().text);
    return listening.error().kind;
  }
  Exit exit = Exit::internal;
  {
    Daemon daemon(loop, log, config_file, std::move(loaded), std::move(*listening));
    log.gather([&loop](auto write) { loop.defer(std::move(write)); });
    exit = loop.run(daemon.run());
  }
  log.gather(nullptr);
  ignore_signals();
  return exit;
}

// A file that is corrected meanwhile is used: `systemctl start` joins a start that a client has caused.
Result<system::Loaded, config::Problems> load_and_turn_away(const std::string& config_file,
                                                            const std::vector<Fd>& sockets) {
  auto loaded = system::load_everything(config_file, system::Purpose::run);
  if (!loaded) print_problems(loaded.error());
  for (int tries = 0; !loaded && !sockets.empty() && tries < kTries; ++tries) {
    turn_away(sockets, kTurnAway / kTries);
    loaded = system::load_everything(config_file, system::Purpose::run);
  }
  return loaded;
}

Exit load_and_serve(const std::string& config_file, std::vector<Fd> inherited) {
  const std::vector<Fd> sockets = duplicates(inherited);
  auto loaded = load_and_turn_away(config_file, sockets);
  if (!loaded) return Exit::configuration;
  SystemClock clock;
  log::MailLog log(clock, log_options(loaded->settings));
  io::Loop loop(clock);
  if (auto note = config::accepted_access(loaded->settings.authinfo, system::reader_for(loaded->account)))
    log.info(*note);
  Exit exit = serve(loop, log, config_file, std::move(*loaded), std::move(inherited));
  if (exit == Exit::configuration) turn_away(sockets, kTurnAway);
  return exit;
}

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

// RFC 3463: system incorrectly configured.
constexpr std::string_view kAnswer =
    "421 4.3.5 hikyakud cannot start: its configuration is wrong (see: journalctl -u hikyaku)\r\n";

void answer_all(int listening) {
  for (;;) {
    Fd client(::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client) return;
    ::send(client.get(), kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
    ::shutdown(client.get(), SHUT_WR);
  }
}

constexpr int kCheck = 256, kCheckPorts = 257, kVersion = 258;
constexpr option kLong[] = {{"help", no_argument, nullptr, 'h'},
                            {"version", no_argument, nullptr, kVersion},
                            {"check", no_argument, nullptr, kCheck},
                            {"check-ports", no_argument, nullptr, kCheckPorts},
                            {nullptr, 0, nullptr, 0}};

std::unexpected<StartError> wrong(std::string_view what) {
  return fail(Exit::usage, cat(what, "; see 'hikyakud --help'"));
}

// getopt keeps an unknown letter, which may be inside a word, but not an unknown long option.
std::string unknown_option(std::string_view word) {
  const bool is_letter = ::optopt > 0 && ::optopt < kCheck;
  return is_letter ? printable(std::string{'-', static_cast<char>(::optopt)}) : printable(word);
}

}  // namespace

Exit run_hikyakud(const std::string& config_file) {
  system::close_to_others();
  return io::SystemResolver::leave(load_and_serve(config_file, system::inherited_sockets()));
}

void turn_away(const std::vector<Fd>& listening, milliseconds span) {
  std::vector<pollfd> waiting;
  for (const Fd& socket : listening) {
    ::fcntl(socket.get(), F_SETFL, ::fcntl(socket.get(), F_GETFL) | O_NONBLOCK);
    waiting.push_back({socket.get(), POLLIN, 0});
  }
  const auto end = SteadyClock::now() + span;
  while (!waiting.empty() && SteadyClock::now() < end) {
    auto left = std::chrono::ceil<milliseconds>(end - SteadyClock::now());
    if (::poll(waiting.data(), waiting.size(), static_cast<int>(left.count())) <= 0) continue;
    for (const pollfd& socket : waiting)
      if (socket.revents != 0) answer_all(socket.fd);
  }
}

std::vector<Fd> duplicates(const std::vector<Fd>& sockets) {
  std::vector<Fd> copies;
  for (const Fd& socket : sockets) copies.emplace_back(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
  return copies;
}

Result<StartOptions, StartError> parse_start_options(std::vector<std::string> arguments) {
  std::string program = "hikyakud";
  std::vector<char*> words = {program.data()};
  for (std::string& argument : arguments) words.push_back(argument.data());
  const auto count = static_cast<int>(words.size());
  words.push_back(nullptr);
  StartOptions options;
  ::optind = 0;  // glibc: from the beginning, whatever was parsed before
  for (;;) {
    // `:` first: getopt prints nothing, and a missing value is told from an unknown option.
    switch (::getopt_long(count, words.data(), ":c:h", kLong, nullptr)) {
      case 'c': options.config_file = ::optarg; break;
      case kCheck: options.action = StartOptions::Action::check; break;
      case kCheckPorts: options.action = StartOptions::Action::check_ports; break;
      case 'h': options.action = StartOptions::Action::print_help; return options;
      case kVersion: options.action = StartOptions::Action::print_version; return options;
      case ':': return wrong("-c needs a file");
      case -1:
        options.ports.assign(words.begin() + ::optind, words.begin() + count);
        if (options.action != StartOptions::Action::check_ports && !options.ports.empty())
          return wrong(cat("'", printable(options.ports.front()), "' was not expected"));
        return options;
      default:
        return wrong(
            cat("there is no option '", unknown_option(words[static_cast<std::size_t>(::optind) - 1]), "'"));
    }
  }
}

std::string_view start_help() {
  return "hikyakud, the local mail relay. Runs in the foreground until SIGTERM; SIGHUP reloads.\n"
         "Usage: hikyakud [-c FILE] [--check]\n"
         "\n"
         "Options:\n"
         "  -c FILE     the configuration [/etc/hikyaku/hikyaku.yaml]\n"
         "  --check     read configuration, credentials and TLS files as the daemon's user, report what is\n"
         "              wrong or probably not intended, and exit\n"
         "  -h, --help  print this and exit\n"
         "  --version   print the version and exit\n";
}

}  // namespace hikyaku::app
