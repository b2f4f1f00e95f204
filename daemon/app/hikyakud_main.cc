// SPDX-License-Identifier: MIT
#include <cstdio>
#include <exception>

#include "daemon/app/checking.h"
#include "daemon/app/hikyakud.h"
#include "daemon/log/mail_log.h"
#include "daemon/system/port_owner.h"

namespace {

using hikyaku::Exit;

Exit print(std::string_view text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0
             ? Exit::ok
             : Exit::io;
}

void print_error(const std::string& text) {
  std::fprintf(stderr, "%shikyakud: %s\n", hikyaku::log::error_prefix().data(), text.c_str());
}

Exit run(int argc, char** argv) {
  using Action = hikyaku::app::StartOptions::Action;
  auto options = hikyaku::app::parse_start_options({argv + 1, argv + argc});
  if (!options) {
    print_error(options.error().text);
    return options.error().kind;
  }
  switch (options->action) {
    case Action::print_help: return print(hikyaku::app::start_help());
    case Action::print_version: return print("hikyakud " HIKYAKU_VERSION "\n");
    case Action::check_ports: return hikyaku::system::check_ports(options->ports);
    case Action::check: return hikyaku::app::check_everything(options->config_file);
    case Action::serve: break;
  }
  return hikyaku::app::run_hikyakud(options->config_file);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return static_cast<int>(run(argc, argv));
  } catch (const std::exception& error) {
    print_error(error.what());
    return static_cast<int>(Exit::internal);
  }
}
