// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <cstdio>

#include "daemon/app/commands.h"

namespace {

using hikyaku::app::Action;
using hikyaku::app::Exit;

Exit run(int argc, char** argv) {
  CLI::App app("hikyaku, the operator's command for the local mail relay.");
  app.set_version_flag("--version", "hikyaku " HIKYAKU_VERSION);
  app.require_subcommand(1);
  Action chosen;
  hikyaku::app::add_demo_command(app, chosen);
  hikyaku::app::add_sink_command(app, chosen);
  hikyaku::app::add_queue_command(app, chosen);
  hikyaku::app::add_spool_command(app, chosen);
  hikyaku::app::add_control_commands(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (app.exit(error) == 0) return Exit::ok;
    std::fputs(app.help().c_str(), stderr);
    return Exit::usage;
  }
  return chosen();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return static_cast<int>(run(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hikyaku: %s\n", error.what());
    return static_cast<int>(Exit::internal);
  }
}
