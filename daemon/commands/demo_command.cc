// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "daemon/commands/commands.h"
#include "daemon/commands/output.h"
#include "daemon/tryout/demo.h"

namespace hikyaku::commands {
namespace {

// Beside this program in a build, in sbin once installed.
std::string find_hikyakud(const std::filesystem::path& hikyaku) {
  std::filesystem::path beside = hikyaku.parent_path() / "hikyakud";
  if (std::filesystem::exists(beside)) return beside.string();
  return (hikyaku.parent_path().parent_path() / "sbin" / "hikyakud").string();
}

// Beside this program in a build, in lib/hikyaku once installed.
std::string find_sendmail(const std::filesystem::path& hikyaku) {
  std::filesystem::path installed = hikyaku.parent_path().parent_path() / "lib" / "hikyaku" / "sendmail";
  if (std::filesystem::exists(installed)) return installed.string();
  return (hikyaku.parent_path() / "sendmail").string();
}

Exit run() {
  std::filesystem::path ourselves = std::filesystem::read_symlink("/proc/self/exe");
  auto print = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  };
  SystemClock clock;
  io::Loop loop(clock);
  tryout::DemoScreen screen(print, may_use_bold());
  tryout::Demo demo(loop, screen, {ourselves.string(), find_hikyakud(ourselves), find_sendmail(ourselves)});
  return loop.run(demo.run());
}

}  // namespace

void add_demo_command(CLI::App& app, Action& chosen) {
  CLI::App* demo = app.add_subcommand("demo", "show a mail's whole journey on this machine, step by step");
  demo->callback([&chosen] { chosen = run; });
}

}  // namespace hikyaku::commands
