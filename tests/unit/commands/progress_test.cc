// SPDX-License-Identifier: MIT
#include "daemon/commands/progress.h"

#include <doctest/doctest.h>
#include <pty.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>

#include "daemon/base/fd.h"

using namespace hikyaku;
using namespace hikyaku::commands;

namespace {

struct ProgressTerminal {
  ProgressTerminal() {
    int master = -1, slave = -1;
    REQUIRE(::openpty(&master, &slave, nullptr, nullptr, nullptr) == 0);
    screen = Fd(master);
    line = Fd(slave);
    ::setenv("TERM", "xterm", 1);
  }
  std::string read_until(std::string_view wanted) {
    char buffer[256];
    while (!seen.contains(wanted)) {
      const ssize_t got = ::read(screen.get(), buffer, sizeof buffer);
      if (got <= 0) break;
      seen.append(buffer, static_cast<std::size_t>(got));
    }
    return seen;
  }
  Fd screen;
  Fd line;
  std::string seen;
};

}  // namespace

TEST_CASE("progress: the line says what is done, how far it is, and for how long") {
  CHECK(progress_text("checking the spool", 0, 0, 3500ms) == "checking the spool … 3 s");
  CHECK(progress_text("checking the spool", 12, 0, 1s) == "checking the spool … 12 mails, 1 s");
  CHECK(progress_text("checking the spool", 0, 50, 1s) == "checking the spool … 0 of 50 mails, 1 s");
}

TEST_CASE("progress: it is shown on a terminal, and wiped out in the end") {
  ProgressTerminal terminal;
  std::optional<Progress> progress;
  progress.emplace("working", terminal.line.get(), 0s);
  progress->expect(7);
  progress->count_one();
  CHECK(terminal.read_until("working … 1 of 7 mails").contains("working … 1 of 7 mails"));
  progress.reset();
  terminal.line.reset();
  CHECK(terminal.read_until("never").ends_with("\r\x1b[K"));
}

TEST_CASE("progress: quick work shows nothing") {
  ProgressTerminal terminal;
  {
    Progress progress("working", terminal.line.get(), 1h);
  }
  terminal.line.reset();
  CHECK(terminal.read_until("never").empty());
}

TEST_CASE("progress: there is none in a pipe, nor on a dumb terminal") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  Fd reader(ends[0]), writer(ends[1]);
  {
    Progress progress("working", writer.get(), 0s);
  }
  writer.reset();
  char byte = 0;
  CHECK(::read(reader.get(), &byte, 1) == 0);
  ProgressTerminal terminal;
  ::setenv("TERM", "dumb", 1);
  {
    Progress progress("working", terminal.line.get(), 0s);
  }
  terminal.line.reset();
  CHECK(terminal.read_until("never").empty());
  ::setenv("TERM", "xterm", 1);
}
