// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <cstdio>

#include "daemon/app/checking.h"
#include "daemon/app/hikyakud.h"

namespace {

using hikyaku::app::Exit;

Exit run(int argc, char** argv) {
  std::string config_file = "/etc/hikyaku/hikyaku.yaml";
  bool check_only = false;
  CLI::App options("hikyakud, the local mail relay. Runs in the foreground until SIGTERM; SIGHUP reloads.");
  options.add_option("-c", config_file, "the configuration")->type_name("FILE")->capture_default_str();
  options.add_flag("--check", check_only,
                   "read configuration, credentials and TLS files with the eyes of the daemon's user, say "
                   "what is wrong or probably not meant, and exit");
  options.set_version_flag("--version", "hikyakud " HIKYAKU_VERSION);
  try {
    options.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return options.exit(error) == 0 ? Exit::ok : Exit::usage;
  }
  return check_only ? hikyaku::app::check_everything(config_file) : hikyaku::app::run_hikyakud(config_file);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return static_cast<int>(run(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hikyakud: %s\n", error.what());
    return static_cast<int>(Exit::internal);
  }
}
