// SPDX-License-Identifier: MIT
#include <cstdio>
#include <exception>

#include "daemon/commands/commands.h"

int main(int argc, char** argv) {
  using hikyaku::Exit, hikyaku::commands::understand_command_line;
  try {
    return static_cast<int>(understand_command_line({argv + 1, argv + argc})());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hikyaku: %s\n", error.what());
    return static_cast<int>(Exit::internal);
  }
}
