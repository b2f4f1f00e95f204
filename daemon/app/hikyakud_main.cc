// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <cstdio>

#include "daemon/app/checking.h"
#include "daemon/app/hikyakud.h"
#include "daemon/log/mail_log.h"
#include "daemon/system/port_owner.h"

namespace {

using hikyaku::Exit;

Exit run(int argc, char** argv) {
  std::string config_file = "/etc/hikyaku/hikyaku.yaml";
  bool check_only = false;
  std::vector<std::string> ports;
  CLI::App options("hikyakud, the local mail relay. Runs in the foreground until SIGTERM; SIGHUP reloads.");
  options.add_option("-c", config_file, "the configuration")->type_name("FILE")->capture_default_str();
  options.add_flag("--check", check_only,
                   "read configuration, credentials and TLS files with the eyes of the daemon's user, say "
                   "what is wrong or probably not meant, and exit");
  auto* check_ports =
      options.add_option("--check-ports", ports, "say which of these addresses another program has")
          ->type_name("ADDR:PORT")
          ->expected(0, -1)
          ->group("");  // for hikyaku.socket
  options.set_version_flag("--version", "hikyakud " HIKYAKU_VERSION);
  try {
    options.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return options.exit(error) == 0 ? Exit::ok : Exit::usage;
  }
  if (check_ports->count() > 0) return hikyaku::system::check_ports(ports);
  return check_only ? hikyaku::app::check_everything(config_file) : hikyaku::app::run_hikyakud(config_file);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return static_cast<int>(run(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%shikyakud: %s\n", hikyaku::log::error_prefix().data(), error.what());
    return static_cast<int>(Exit::internal);
  }
}
